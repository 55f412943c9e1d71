import { el } from "./dom.js";
import { message } from "./item.js";
import { t } from "./words.js";

/** @typedef {import("../shared/protocol").Author} Author */

const TYPING_MS = 7000; // whoever types says so again before this

/** What is not in the log yet: an answer as it grows, and who is typing. It stands at the thread's end. */
export class Growing {
  #list;
  #turn = "";
  /** @type {HTMLElement | null} */
  #answer = null;
  /**
   * Who types, by id.
   * @type {Map<string, {node: HTMLElement, timer: number}>}
   */
  #typists = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {import("../shared/protocol").Stream} frame */
  stream({ turn, text }) {
    if (turn !== this.#turn) {
      this.#answer?.remove();
      this.#turn = turn;
      this.#stopped("ai");
      this.#answer = message({ kind: "ai" }, t("ai"), "", new Date());
      this.#answer.dataset.growing = turn;
      this.#list.append(this.#answer);
    }
    this.#answer?.querySelector(".bubble")?.append(text);
  }

  /** @param {Author} author @param {string} name @param {boolean} on */
  typing(author, name, on) {
    const key = keyOf(author);
    this.#stopped(key);
    if (!on || (author.kind === "ai" && this.#answer)) return;
    const node = el("p", { class: `item typing from-${author.kind}`, "data-growing": true }, t("typing", { name }));
    node.append(el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")));
    this.#list.append(node);
    this.#typists.set(key, { node, timer: setTimeout(() => this.#stopped(key), TYPING_MS) });
  }

  /**
   * An event is the end of what grew towards it.
   * @param {import("../shared/protocol").RoomEvent} event
   */
  ended({ type, author, data }) {
    const over = type === "takeover" || data?.state === "ai_failed" || (type === "message" && author.kind === "ai");
    if (over) {
      this.#answer?.remove();
      this.#answer = null;
      this.#turn = "";
      this.#stopped("ai");
    }
    if (type === "message") this.#stopped(keyOf(author));
  }

  clear() {
    this.#answer?.remove();
    this.#answer = null;
    this.#turn = "";
    for (const key of [...this.#typists.keys()]) this.#stopped(key);
  }

  /** @param {string} key */
  #stopped(key) {
    const typist = this.#typists.get(key);
    clearTimeout(typist?.timer);
    typist?.node.remove();
    this.#typists.delete(key);
  }
}

/** @param {Author} author */
const keyOf = ({ kind, id }) => (kind === "ai" ? kind : `${kind} ${id}`);
