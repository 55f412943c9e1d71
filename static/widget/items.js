import { el, icon } from "./dom.js";

/** @typedef {import("../shared/protocol").RoomEvent} RoomEvent */
/** @typedef {import("../shared/protocol").Author} Author */
/** @typedef {import("./chat.js").Texts} Texts */

/**
 * Who a member of the room is to the visitor.
 * @param {import("../shared/protocol").Author} author
 * @param {Texts} t
 */
export function nameOf({ kind, name }, t) {
  if (kind === "visitor") return t("you");
  return kind === "ai" ? t("ai") : name || t("team");
}

/**
 * A message's place in the thread. Who speaks is said in words too, for those
 * who do not see the sides.
 * @param {import("../shared/protocol").Author} author @param {Node | string} content @param {Texts} t
 */
export function message(author, content, t) {
  return el(
    "div",
    { part: "message", class: "item", "data-from": author.kind },
    el("span", { class: author.kind === "admin" ? "by" : "by sr" }, nameOf(author, t)),
    el("div", { part: "bubble", dir: "auto" }, content),
  );
}

/**
 * A line across the thread.
 * @param {string} text
 */
export const line = (text) => el("div", { part: "line", class: "item" }, el("span", {}, text));

/**
 * A request for a person, and how it goes on.
 * @param {string} reason
 * @param {string} title
 */
export function receipt(reason, title) {
  return el(
    "div",
    { part: "receipt", class: "item" },
    icon("bell"),
    el(
      "div",
      {},
      el("strong", {}, title),
      el("div", { part: "request", dir: "auto" }, reason),
      el("div", { part: "progress" }),
    ),
  );
}

/** @type {any} A site with Trusted Types may name this policy in its CSP. */
let policy;

/**
 * What an event says, as nodes. The HTML is the server's, made by its
 * sanitising renderer, and this is the one place that trusts it. Where a site's
 * policy forbids even that, the plain text stands in.
 * @param {RoomEvent} event
 */
export function content({ author, text, html }) {
  if (!html || author.kind === "visitor") return text;
  const box = el("div", { class: "rich" });
  try {
    const { trustedTypes } = /** @type {any} */ (globalThis);
    policy ??= trustedTypes?.createPolicy("bellhub", { createHTML: (/** @type {string} */ s) => s });
    box.innerHTML = policy?.createHTML(html) ?? html;
  } catch {
    return text;
  }
  return box;
}

/**
 * Writes when it was, if it was not just after the item before.
 * @param {HTMLElement} item
 * @param {string} lang
 */
export function stamp(item, lang) {
  const before = /** @type {HTMLElement | null} */ (item.previousElementSibling);
  item.querySelector("time")?.remove();
  const at = new Date(item.dataset.at ?? "");
  const last = new Date(before?.dataset.at ?? 0);
  if (isNaN(+at) || +at - +last < 10 * 60_000) return;
  const today = at.toDateString() === new Date().toDateString();
  const time = new Intl.DateTimeFormat(lang, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  item.prepend(el("time", { datetime: item.dataset.at }, time.format(at)));
}

/** The states that have words of their own. */
const STATES = ["queued", "logged", "captured", "notified", "opened", "reminded", "unreachable", "joined"];
/** Those that only confirm: a plugin's wording of the confirmation outlasts them. */
const CONFIRMING = ["captured", "notified"];

/**
 * The receipts of the bell. Each escalation event has its own; the notices
 * that follow speak through the newest receipt of their escalation. Pages of
 * the log may come newest first, so numbers decide, not the order of calls.
 */
export class Receipts {
  /** @type {Map<string, {seq: number, node?: HTMLElement, own: RoomEvent["data"], noticeSeq: number, notice: RoomEvent["data"]}>} */
  #calls = new Map();
  #t;

  /** @param {import("./chat.js").Texts} t */
  constructor(t) {
    this.#t = t;
  }

  clear() {
    this.#calls.clear();
  }

  /**
   * The receipt of an escalation event.
   * @param {RoomEvent} event
   */
  add({ seq, text, data = {} }) {
    const node = receipt(text, this.#t("bell"));
    this.#write(node, data);
    const call = this.#call(data.escalation);
    if (seq > call.seq) Object.assign(call, { seq, node, own: data });
    if (call.noticeSeq > call.seq) this.#write(call.node, this.#told(call));
    return node;
  }

  /**
   * Follows a notice; returns its words, "" if it has none.
   * @param {RoomEvent} event
   */
  follow({ seq, data = {} }) {
    if (!data.escalation || !this.words(data)) return "";
    const call = this.#call(data.escalation);
    if (seq > call.noticeSeq) Object.assign(call, { noticeSeq: seq, notice: data });
    const told = this.#told(call);
    if (call.noticeSeq > call.seq) this.#write(call.node, told);
    if (told?.message && told.message === call.own?.message) return ""; // it stands there already
    return data.state === "joined" ? "" : this.words(data); // the takeover tells it too
  }

  /**
   * What the newest notice of a call makes its receipt say.
   * @param {{own: RoomEvent["data"], notice: RoomEvent["data"]}} call
   * @returns {RoomEvent["data"]}
   */
  #told({ own, notice }) {
    const worded = CONFIRMING.includes(notice?.state ?? "") && own?.message;
    return worded ? { ...notice, message: worded } : notice;
  }

  /** @param {RoomEvent["data"]} data */
  words({ state = "", name = "", message, limited, again } = {}) {
    if (message) return String(message);
    if (limited) return this.#t("limited");
    if (again) return this.#t("again");
    return STATES.includes(state) ? this.#t(state, { name: name || this.#t("team") }) : "";
  }

  /** @param {string} id */
  #call(id) {
    const call = this.#calls.get(id) ?? { seq: 0, own: {}, noticeSeq: 0, notice: {} };
    this.#calls.set(id, call);
    return call;
  }

  /** @param {HTMLElement | undefined} node @param {RoomEvent["data"]} data */
  #write(node, data = {}) {
    if (!node) return;
    node.dataset.state = data.limited ? "limited" : data.state;
    const progress = node.querySelector("[part=progress]");
    if (progress) progress.textContent = this.words(data);
  }
}

const TYPING_MS = 6000; // whoever types says so again before this

/**
 * What is not in the log yet: an answer as it grows, or who is typing. It
 * stands at the thread's end.
 */
export class Growing {
  #list;
  #t;
  #turn = "";
  /** A turn whose beginning was missed is shown as typing. */
  #broken = "";
  /** @type {HTMLElement | null} */
  #node = null;
  #text = new Text();
  #timer = 0;

  /** @param {HTMLElement} list @param {import("./chat.js").Texts} t */
  constructor(list, t) {
    this.#list = list;
    this.#t = t;
  }

  /** @param {{turn: string, text: string}} frame */
  stream({ turn, text }) {
    if (turn === this.#broken) return this.typing({ kind: "ai" }, true);
    if (turn !== this.#turn) {
      this.end();
      this.#turn = turn;
      this.#text = new Text();
      this.#show(message({ kind: "ai" }, this.#text, this.#t));
    }
    this.#text.appendData(text);
  }

  /** @param {Author} author @param {boolean} on */
  typing(author, on) {
    if (this.#turn) return;
    this.end();
    if (!on) return;
    const label = this.#t("typing", { name: nameOf(author, this.#t) });
    const dots = el("span", { class: "dots", role: "img", "aria-label": label }, el("i"), el("i"), el("i"));
    this.#show(message(author, dots, this.#t)).dataset.typing = "";
    this.#timer = setTimeout(() => this.end(), TYPING_MS);
  }

  /** The connection broke: what grew has a hole from here on. */
  interrupt() {
    this.#broken = this.#turn || this.#broken;
    this.end();
  }

  /** The log has it now, or nothing will come of it. */
  end() {
    clearTimeout(this.#timer);
    this.#node?.remove();
    this.#node = null;
    this.#turn = "";
  }

  /** @param {HTMLElement} node */
  #show(node) {
    this.#node = node;
    this.#list.append(node);
    return node;
  }
}
