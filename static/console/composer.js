import { byId } from "./dom.js";
import { t } from "./words.js";

const NEAR = 200; // so close to the limit the rest is counted
const TYPING_MS = 3000; // "typing" is said at most this often

/**
 * Characters as the server counts them: code points of the trimmed text.
 * @param {string} text
 */
const length = (text) => [...text.trim()].length;

/** Where the admin writes. The draft outlives a reload. */
export class Composer {
  #area = /** @type {HTMLTextAreaElement} */ (byId("reply"));
  #button = /** @type {HTMLButtonElement} */ (byId("send"));
  #hint = byId("hint");
  #options;
  #key;
  #typed = 0;
  #locked = "";

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {number} options.most characters
   * @param {(text: string) => void} options.send
   * @param {(on: boolean) => void} options.typing
   */
  constructor(options) {
    this.#options = options;
    this.#key = `bellhub:reply:${options.room}`;
    this.#area.value = sessionStorage.getItem(this.#key) ?? "";
    this.#area.addEventListener("input", () => this.#changed());
    this.#area.addEventListener("keydown", (event) => this.#pressed(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#fit();
  }

  /**
   * @param {string} reason why nothing can be sent, or ""
   * @param {boolean} writable the draft may be worked on all the same
   */
  lock(reason, writable) {
    const area = this.#area;
    this.#locked = reason || (writable ? "" : " ");
    area.disabled = !writable;
    this.#button.disabled = !!this.#locked;
    this.tell(reason);
  }

  /** @param {string} text */
  tell(text) {
    this.#hint.textContent = text;
    this.#hint.hidden = !text;
  }

  #changed() {
    const { value } = this.#area;
    if (value) sessionStorage.setItem(this.#key, value);
    else sessionStorage.removeItem(this.#key);
    this.#fit();
    this.#count();
    if (!value.trim()) this.#typing(false);
    else if (Date.now() - this.#typed >= TYPING_MS) this.#typing(true);
  }

  /** @param {boolean} on */
  #typing(on) {
    if (on || this.#typed) this.#options.typing(on);
    this.#typed = on ? Date.now() : 0;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    // 229: in Safari the Enter that ends a composition comes after its end.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    if (this.#locked) return;
    const text = this.#area.value.trim();
    this.#area.focus();
    if (!text) return this.tell(t("noText"));
    if (length(text) > this.#options.most) return this.#count();
    this.#area.value = "";
    this.#typed = 0; // the message itself ends the typing
    this.#changed();
    this.#options.send(text);
  }

  #count() {
    const left = this.#options.most - length(this.#area.value);
    this.#area.setAttribute("aria-invalid", String(left < 0));
    if (left < 0) this.tell(t("tooLong", { n: -left }));
    else this.tell(left < NEAR ? t("left", { n: left }) : this.#locked.trim());
  }

  #fit() {
    this.#area.style.height = "auto";
    this.#area.style.height = `${this.#area.scrollHeight}px`;
  }
}
