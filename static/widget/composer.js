import { el, Field, icon } from "./dom.js";

const TYPING_MS = 3000; // "typing" is said at most this often

/** Where the visitor writes. The draft is kept, and shared with other tabs. */
export class Composer {
  bell;
  field;
  #options;
  #typed = 0;

  /**
   * @param {object} options
   * @param {import("./chat.js").Texts} options.t
   * @param {import("./store.js").Store} options.store
   * @param {(text: string) => void} options.send
   * @param {(on: boolean) => void} options.typing
   * @param {() => void} options.ring
   */
  constructor(options) {
    const { t, ring } = options;
    this.#options = options;
    this.field = new Field({
      t,
      part: "input",
      most: 4000,
      empty: "noText",
      changed: (text) => this.#changed(text),
      attributes: {
        rows: 1,
        "aria-label": t("input"),
        placeholder: t("input.hint"),
        enterkeyhint: "send",
        onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
      },
    });
    this.bell = el("button", { part: "bell", type: "button", "aria-label": t("bell"), title: t("bell"), onclick: ring }, icon("bell"));
    this.element = el(
      "form",
      { part: "composer", onsubmit: (/** @type {Event} */ e) => this.#submit(e) },
      this.field.line,
      this.bell,
      this.field.area,
      el("button", { part: "send", "aria-label": t("send") }, icon("send")),
    );
    this.sync();
  }

  /** Takes the draft that is kept: whoever writes in another tab does not write here. */
  sync() {
    this.field.text = this.#options.store.get("draft", "");
  }

  /** @param {string} text */
  #changed(text) {
    this.#options.store.set("draft", text || null);
    if (!text.trim()) this.#typing(false);
    else if (Date.now() - this.#typed >= TYPING_MS) this.#typing(true);
  }

  /** @param {boolean} on */
  #typing(on) {
    if (on || this.#typed) this.#options.typing(on);
    this.#typed = on ? Date.now() : 0;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // 229: in Safari the Enter that ends a composition comes after its end.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) this.#submit(event);
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const { area, text } = this.field;
    area.focus();
    if (!this.field.check()) return;
    this.field.text = "";
    this.#changed("");
    this.#options.send(text);
  }
}
