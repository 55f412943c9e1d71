// The script that a website embeds, served as /widget.js:
//
//   <script src="https://chat.example/widget.js" data-domain="KEY" defer></script>
//
// It draws the launcher and no more. The chat is fetched when a visitor reaches
// for it, or at once if there is a conversation that may have gone on. Nothing
// here may throw into the page, leave a global behind, or need more from a
// site's CSP than this origin in script-src and connect-src.
(() => {
  const NAME = "bellhub-chat";
  /** @type {Record<string, string>} The server fills it in: "Open chat" in each language. */
  const labels = /** @type {any} */ ("__LABELS__");

  const css = `
    :host { all: initial !important; position: fixed !important; inset: auto 0 0 auto !important;
      inset-inline: auto 0 !important; z-index: 2147483647 !important;
      --accent: var(--bellhub-accent, #0e6b57); --on-accent: var(--bellhub-on-accent, #fff); }
    @media (prefers-color-scheme: dark) { :host([theme=auto]) {
      --accent: var(--bellhub-accent, #4cc2a3); --on-accent: var(--bellhub-on-accent, #05231b); } }
    :host([theme=dark]) {
      --accent: var(--bellhub-accent, #4cc2a3); --on-accent: var(--bellhub-on-accent, #05231b); }
    :host([hidden]) { display: none !important; }
    @media print { :host { display: none !important; } }
    [part=launcher] { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; inline-size: 60px;
      block-size: 60px; padding: 0; border: 0; border-radius: 50%; background: var(--accent);
      color: var(--on-accent); cursor: pointer; font: 600 12px/20px system-ui, sans-serif;
      box-shadow: 0 1px 3px #0003, 0 8px 28px #0004; }
    [part=launcher]:hover { filter: brightness(1.1); }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    [aria-busy=true] svg { opacity: .5; }
    [part=launcher] svg { inline-size: 30px; block-size: 30px; display: block; margin: auto; fill: none;
      stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    [part=badge] { position: absolute; inset-block-start: -3px; inset-inline-end: -3px; min-inline-size: 20px;
      box-sizing: border-box; padding: 0 5px; border-radius: 10px; background: #b3261e; color: #fff; }
    [hidden] { display: none; }
    @media (forced-colors: active) { [part=launcher] { border: 2px solid; } }`;

  /** @param {HTMLScriptElement} script */
  function launch(script) {
    const { domain, lang = "", theme = "auto" } = script.dataset;
    if (!domain) throw new Error("data-domain is missing");
    const { origin } = new URL(script.src);
    const wanted = [lang, document.documentElement.lang, ...navigator.languages].map((l) => l.split("-")[0].toLowerCase());
    const language = wanted.find((l) => l in labels) ?? "en";

    /** @type {any} The element becomes a Chat when its module is there. */
    const chat = document.createElement(NAME);
    chat.setAttribute("domain", domain);
    chat.setAttribute("lang", language);
    chat.setAttribute("theme", theme);

    const load = () => import(`${origin}__ASSETS__/widget/chat.js`);
    const call = async (/** @type {"open" | "toggle"} */ name) => {
      button.setAttribute("aria-busy", "true");
      try {
        await load();
        delete chat.open; // the real one is its prototype's
        chat[name]();
      } catch (error) {
        console.error("bellhub:", error);
      }
      button.removeAttribute("aria-busy");
    };
    chat.open = () => call("open");

    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("part", "launcher");
    button.setAttribute("aria-label", labels[language]);
    button.onclick = () => call("toggle");
    button.onpointerenter = () => load().catch(() => {}); // a head start
    const svg = draw("svg", "viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.append(draw("path", "d", "M4.5 18.5V10A6.5 6.5 0 0 1 11 3.5h2a6.5 6.5 0 0 1 0 13H8.5zM9 8.8h6M9 11.7h3.5"));
    const badge = document.createElement("span");
    badge.setAttribute("part", "badge");
    badge.hidden = true;
    button.append(svg, badge);

    const root = chat.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    root.append(button);
    document.body.append(chat);

    const key = `bellhub:${domain}`;
    if (kept("localStorage", key)?.includes('"token"') || kept("sessionStorage", `${key}:open`)) {
      (window.requestIdleCallback ?? setTimeout)(() => load().catch(() => {}));
    }
  }

  /** @param {string} tag @param {string} name @param {string} value of its one attribute */
  function draw(tag, name, value) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    node.setAttribute(name, value);
    return node;
  }

  /** @param {"localStorage" | "sessionStorage"} area @param {string} key */
  function kept(area, key) {
    try {
      return window[area].getItem(key);
    } catch {
      return null; // storage is denied: there is nothing to go on with
    }
  }

  /** @param {() => void} work */
  function attempt(work) {
    try {
      work();
    } catch (error) {
      console.error("bellhub:", error);
    }
  }

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const ready = () => document.querySelector(NAME) || attempt(() => launch(script));
  if (document.body) ready();
  else addEventListener("DOMContentLoaded", ready);
})();
