import { Bell } from "./bell.js";
import { Composer } from "./composer.js";
import { el, icon } from "./dom.js";
import { PHONE } from "./style.js";
import { Thread } from "./thread.js";

/** What may stand above the composer; the first of those set is shown. */
const ORDER = /** @type {const} */ (["final", "connection", "flood", "away"]);

/**
 * @typedef {typeof ORDER[number]} Slot
 * @typedef {{text: string, label?: string, action?: () => void}} Content
 */

/** The line above the composer: how the connection and the conversation are. */
class Notice {
  element = el("div", { part: "notice", hidden: "" });
  /** @type {Partial<Record<Slot, Content>>} */
  #slots = {};
  #text = "";
  #name = "";
  #say;

  /** @param {(text: string) => void} say */
  constructor(say) {
    this.#say = say;
  }

  /** @param {Slot} slot @param {Content} [content] */
  set(slot, content) {
    this.#slots[slot] = content;
    const name = ORDER.find((s) => this.#slots[s]) ?? "";
    const { text = "", label, action } = (name && this.#slots[name]) || {};
    if (text === this.#text) return;
    this.element.hidden = !text;
    this.element.dataset.kind = name;
    this.element.replaceChildren(el("span", {}, text));
    if (label) this.element.append(" ", el("button", { type: "button", onclick: action }, label));
    // A countdown is said once, not each second.
    if (text && (name !== "flood" || name !== this.#name)) this.#say(text);
    this.#text = text;
    this.#name = name;
  }
}

/**
 * What the visitor sees: header, thread, notice, composer, and the bell's
 * dialog. It knows where things stand; what they mean is chat.js's.
 */
export class Panel {
  #t;
  #title = el("h2", { part: "title", id: "title" });
  #answerer = el("p", { part: "answerer" });
  #announcer = el("div", { part: "announcer", class: "sr", "aria-live": "polite" });
  #phone = matchMedia(PHONE);
  #restore = () => {};
  #mark = el("span", { part: "mark", "aria-hidden": "true" });

  /**
   * @param {{t: import("./chat.js").Texts, lang: string, store: import("./store.js").Store,
   *   socket: import("../shared/socket.js").Socket, close: () => void,
   *   send: (text: string) => void, typing: (on: boolean) => void,
   *   retry: (id: string) => void, drop: (id: string) => void, signal: AbortSignal}} options
   */
  constructor(options) {
    const { t, socket, send, close, signal } = options;
    this.#t = t;
    this.notice = new Notice((text) => this.say(text));
    this.thread = new Thread({ ...options, again: send, older: (before) => socket.history({ before, limit: 50 }) });
    this.bell = new Bell({ ...options, closed: () => this.composer.bell.focus() });
    this.composer = new Composer({ ...options, ring: () => this.bell.open() });
    this.element = el(
      "dialog",
      { part: "panel", "aria-labelledby": "title", tabindex: -1 },
      el(
        "header",
        { part: "header" },
        this.#mark,
        el("div", {}, this.#title, this.#answerer),
        el("button", { part: "close", type: "button", "aria-label": t("close"), onclick: close }, icon("close")),
      ),
      this.thread.element,
      this.notice.element,
      this.composer.element,
      this.#announcer,
      this.bell.element,
    );
    const fit = () => this.#fit();
    visualViewport?.addEventListener("resize", fit, { signal });
    visualViewport?.addEventListener("scroll", fit, { signal });
    this.#phone.addEventListener("change", () => this.element.open && (this.close(), this.open()), { signal });
    signal.addEventListener("abort", () => this.close());
  }

  /**
   * Shows it: beside the page on a desk, and on a phone over it. There it is
   * modal, so that the page behind is inert and stays where it is.
   */
  open() {
    this.#fit();
    if (this.#phone.matches) {
      const { style } = document.documentElement;
      const { overflow } = style;
      style.overflow = "hidden";
      this.#restore = () => (style.overflow = overflow);
      this.element.showModal();
    } else {
      this.element.setAttribute("open", ""); // show() would take the focus
    }
    this.composer.field.fit();
    this.bell.resume();
  }

  close() {
    this.#restore();
    this.#restore = () => {};
    this.element.close();
  }

  /** A phone's panel keeps to what the on-screen keyboard leaves of the screen. */
  #fit() {
    const { height = innerHeight, offsetTop = 0 } = visualViewport ?? {};
    this.element.style.setProperty("--height", `${height}px`);
    this.element.style.setProperty("--top", `${offsetTop}px`);
  }

  /**
   * Reads out what is final, once: the one live region but for the lines of
   * the fields. What grows or counts on the screen stays outside of it.
   * @param {string} text
   */
  say(text) {
    const line = el("p", {}, text);
    this.#announcer.append(line);
    // Long enough to be heard; then it must not be met again while browsing.
    setTimeout(() => line.remove(), 8000);
  }

  /**
   * Puts something between the thread and the composer, and reads it out.
   * @param {HTMLElement} element
   */
  place(element) {
    element.setAttribute("part", "placed");
    this.composer.element.before(element);
    this.say(element.textContent ?? "");
  }

  /** @param {string} name the domain's */
  title(name) {
    this.#title.textContent = name;
    this.#mark.textContent = [...name.toUpperCase()][0] ?? "";
  }

  /**
   * Who answers here. What the visitor may send has been said before.
   * @param {{mode: string, holder: import("../shared/protocol").Author | null}} room
   */
  answerer({ mode, holder }) {
    const person = mode === "live";
    this.element.dataset.mode = person ? (holder ? "person" : "nobody") : "ai";
    this.#answerer.textContent = person ? holder?.name || this.#t("team") : this.#t("ai");
    const [bell, none] = person && !holder ? ["empty.noAi", "empty.noAi.noBell"] : ["empty", "empty.noBell"];
    this.thread.invite(this.#t(this.composer.bell.hidden ? none : bell));
  }

  /** @param {string[]} frames what the visitor may send */
  may(frames) {
    this.composer.bell.hidden = !frames.includes("contact-admin");
    this.composer.element.hidden = !frames.includes("message");
  }
}
