import { Failure } from "../shared/socket.js";
import { Conversation } from "./conversation.js";
import { icon } from "./dom.js";
import { Store } from "./store.js";
import { sheet } from "./style.js";

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Texts */

/** Right-to-left languages, by their primary subtag. */
const RTL = /^(ar|dv|fa|he|ps|ur|yi)\b/;

/**
 * Loads the words of a language, English where there is none.
 * @param {string} lang
 * @returns {Promise<Texts>}
 */
async function loadTexts(lang) {
  const load = async (/** @type {string} */ name) => {
    const answer = await fetch(new URL(`../i18n/${name}.json`, import.meta.url));
    if (!answer.ok) throw new Error(`no texts: ${name}`);
    return answer.json();
  };
  const texts = await load(lang).catch(() => load("en"));
  return (key, values = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => values[name]);
}

/**
 * `<bellhub-chat domain lang theme>`: the chat on a website. widget.js makes
 * the element, with the launcher in its shadow root; this module brings it to
 * life. The page around it may use
 *
 *  - `open()`, `close()`, `toggle()`, and `opened`, whether it is;
 *  - `draft`, what the visitor has written and not sent;
 *  - the events `bellhub-open`, `bellhub-close`, `bellhub-message`, whose detail
 *    is `{seq, from, text}`, and `bellhub-frame`, `{type, data}`: what a plugin
 *    sends (hub.Host.Push);
 *  - `send(type, data)`, a frame for a plugin (hub.Host.Handle): the promise of
 *    what it answers, which fails with `{code, message}`, "offline" among them;
 *  - `place(element)`: shows something above the message box, and reads its text
 *    out; `element.remove()` takes it away. It is in the widget's shadow root, where
 *    buttons have the widget's looks, and the custom properties --surface, --sunken,
 *    --ink, --muted, --accent, --on-accent and --danger follow the reader's colours;
 *  - the custom properties `--bellhub-accent` and `--bellhub-on-accent`.
 *
 * Plugins' scripts (hub.Scripter) are loaded once the visitor has opened the chat
 * and been let in; their default export is called with this element.
 */
export class Chat extends HTMLElement {
  #root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
  #launcher = /** @type {HTMLElement | null} */ (this.#root.querySelector("[part=launcher]"));
  #bubble = this.#launcher?.firstElementChild;
  #store = new Store(this.getAttribute("domain") ?? "");
  #open = false;
  #unread = 0;
  #life = new AbortController();
  /**
   * Of plugins, and not loaded yet.
   * @type {string[] | undefined}
   */
  #scripts;
  /**
   * Here once the words are.
   * @type {{t: import("./chat.js").Texts, conversation: Conversation} | undefined}
   */
  #parts;

  connectedCallback() {
    this.#life = new AbortController();
    this.#start(this.#life.signal).catch((error) => {
      this.#open = false;
      console.error("bellhub:", error);
    });
  }

  disconnectedCallback() {
    this.#life.abort();
    this.#parts?.conversation.panel.element.remove();
    this.#parts = undefined;
  }

  /** Opens the panel, and the focus goes to it. */
  open() {
    if (this.#open) return;
    this.#open = true;
    this.#store.set("open", true);
    this.#show();
    // A touch keyboard would hide half of what was just opened.
    const { composer, element } = this.#parts?.conversation.panel ?? {};
    if (matchMedia("(pointer: fine)").matches) composer?.field.area.focus();
    else element?.focus();
  }

  /** Closes the panel; the conversation goes on behind the launcher. */
  close() {
    if (!this.#open) return;
    this.#open = false;
    this.#store.set("open", null);
    this.#parts?.conversation.panel.close();
    this.#parts?.conversation.look(false);
    this.#label();
    this.#launcher?.focus();
    this.#emit("close");
  }

  /** Whether the visitor sees the panel. */
  get opened() {
    return this.#open && this.isConnected;
  }

  /** What the visitor has written and not sent; "" for nothing. */
  get draft() {
    return this.#parts?.conversation.panel.composer.field.text ?? "";
  }

  /** @param {string} type @param {unknown} [data] @returns {Promise<any>} */
  async send(type, data) {
    if (!this.#parts) throw new Failure({ code: "offline", retryable: true });
    return this.#parts.conversation.request(type, data);
  }

  /**
   * Shows something of a plugin's above the message box, and reads its text out;
   * `element.remove()` takes it away.
   * @param {HTMLElement} element
   */
  place(element) {
    this.#parts?.conversation.panel.place(element);
  }

  toggle() {
    if (this.#open) this.close();
    else this.open();
  }

  /** @param {AbortSignal} signal ends when the element leaves the page */
  async #start(signal) {
    const lang = this.getAttribute("lang") || "en";
    const t = await loadTexts(lang);
    if (signal.aborted) return;
    this.dir = RTL.test(lang) ? "rtl" : "ltr";
    if (!this.#root.adoptedStyleSheets.includes(sheet)) {
      this.#root.adoptedStyleSheets = [...this.#root.adoptedStyleSheets, sheet];
    }
    const conversation = new Conversation({
      domain: this.getAttribute("domain") ?? "",
      origin: new URL(import.meta.url).origin,
      store: this.#store,
      t,
      lang,
      signal,
      close: () => this.close(),
      unread: (n) => {
        this.#unread = n;
        this.#label();
      },
      frame: (frame) => this.#emit("frame", frame),
      scripts: (paths) => {
        this.#scripts ??= [...paths];
        this.#plug();
      },
      message: ({ seq, author, text }) => this.#emit("message", { seq, from: author.kind, text }),
    });
    const { element, bell } = conversation.panel;
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !bell.element.open) this.close();
      // The page must not take what is typed here for its shortcuts.
      event.stopPropagation();
    });
    // A phone's back gesture closes a dialog without a key.
    element.addEventListener("close", () => element.open || this.close());
    this.#root.append(element);
    this.#parts = { t, conversation };
    this.#label();
    if (this.#store.session.token) conversation.dial();
    // The page was reloaded with the panel open, or a launcher could not wait.
    if (this.#open) {
      this.#open = false;
      this.open();
    } else if (this.#store.get("open")) {
      this.#open = true;
      this.#show();
    }
  }

  #show() {
    if (!this.#parts) return;
    const { conversation } = this.#parts;
    conversation.panel.open();
    conversation.look(true);
    conversation.dial();
    this.#label();
    this.#emit("open");
    this.#plug();
  }

  /** Loads plugins' scripts. One that fails costs nobody else anything. */
  #plug() {
    if (!this.#open) return;
    for (const path of this.#scripts?.splice(0) ?? []) {
      import(new URL(path, import.meta.url).href)
        .then((module) => module.default(this))
        .catch((error) => console.error("bellhub:", error));
    }
  }

  /** What the launcher says: to open, with how much is unread, or to close. */
  #label() {
    if (!this.#launcher || !this.#parts) return;
    const { t } = this.#parts;
    const n = this.#open ? 0 : this.#unread;
    const label = this.#open ? t("close") : n ? t("launcher.unread", { n }) : t("launcher.open");
    this.#launcher.setAttribute("aria-label", label);
    if (this.#bubble) this.#launcher.firstElementChild?.replaceWith(this.#open ? icon("down") : this.#bubble);
    const badge = /** @type {HTMLElement} */ (this.#launcher.querySelector("[part=badge]"));
    badge.hidden = !n;
    badge.textContent = n > 99 ? "99+" : String(n);
  }

  /** @param {"open" | "close" | "message" | "frame"} name @param {object} [detail] */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(`bellhub-${name}`, { detail, bubbles: true, composed: true }));
  }
}

// Two copies of the script, or two versions of it, may meet on a page.
if (!customElements.get("bellhub-chat")) customElements.define("bellhub-chat", Chat);
