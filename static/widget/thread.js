import { Scroll } from "../shared/scroll.js";
import { el, icon } from "./dom.js";
import { content, Growing, line, message, nameOf, Receipts, stamp } from "./items.js";

/** @typedef {import("../shared/protocol").RoomEvent} RoomEvent */
/** @typedef {import("../shared/protocol").Pending} Pending */

/**
 * The conversation: first the log's events by number, then the visitor's own
 * messages that are not in it yet, then what grows. An item with `data-seq` is
 * in the log; one with `data-id` waits for it.
 */
export class Thread {
  #list = el("div", { part: "thread" });
  #empty = el("p", { part: "empty" });
  #box;
  #scroll;
  #receipts;
  #options;
  #first = 0;
  #more = false;

  /**
   * @param {object} options
   * @param {import("./chat.js").Texts} options.t
   * @param {string} options.lang
   * @param {(before: number) => Promise<import("../shared/protocol").Page>} options.older
   * @param {(id: string) => void} options.retry a message that failed
   * @param {(id: string) => void} options.drop
   * @param {(text: string) => void} options.again asks once more what got no answer
   */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#receipts = new Receipts(t);
    this.growing = new Growing(this.#list, t);
    this.#box = el("div", { part: "scroller", role: "region", tabindex: 0, "aria-label": t("thread") }, this.#empty, this.#list);
    const pill = el("button", { part: "pill", type: "button" }, t("newMessages"), icon("down"));
    this.#scroll = new Scroll(this.#box, this.#list, pill, () => this.#older());
    this.element = el("div", { part: "body" }, this.#box, pill);
  }

  /**
   * What stands there while nothing was said.
   * @param {string} text
   */
  invite(text) {
    this.#empty.replaceChildren(icon("bell"), el("span", {}, text));
  }

  /**
   * Begins with the newest page.
   * @param {RoomEvent[]} events
   * @param {boolean} more
   */
  reset(events, more) {
    this.growing.end();
    this.#receipts.clear();
    this.#list.replaceChildren();
    this.#more = more;
    this.#first = events[0]?.seq ?? 0;
    for (const event of events) this.#append(this.#make(event), event);
    this.#scroll.end();
  }

  /**
   * Adds an event at the log's end; returns what it told, "" if nothing.
   * @param {RoomEvent} event
   */
  add(event) {
    const { type, author, data = {} } = event;
    const mine = type === "message" && author.kind === "visitor";
    const node = (mine && this.#claim(event)) || this.#make(event);
    const answers = type === "message" && author.kind !== "visitor";
    const swap = answers && this.#list.querySelector(".item:not([data-seq], [data-id])");
    if (answers || type === "takeover" || data.state === "ai_failed") this.growing.end();
    if (!node) return this.#receipts.follow(event);
    this.#append(node, event);
    if (!swap && !mine) node.classList.add("new");
    if (!mine) this.#scroll.arrived();
    const text = node.querySelector("[part=bubble], [part=progress]")?.textContent ?? event.text;
    return type === "message" ? `${nameOf(author, this.#options.t)}: ${text}` : this.#words(event) || text;
  }

  /**
   * Shows a message on its way, or one that was refused.
   * @param {Pending} item
   */
  pending(item) {
    const { t, retry, drop } = this.#options;
    let node = this.#waiting(item.id);
    if (!node) {
      node = message({ kind: "visitor" }, item.data.text, t);
      node.dataset.id = item.id;
      node.dataset.at = new Date(item.at).toISOString();
      const live = this.#list.querySelector(".item:not([data-seq], [data-id])");
      this.#list.insertBefore(node, live);
      stamp(node, this.#options.lang);
      this.#shown();
    }
    node.dataset.state = item.error ? "failed" : "pending";
    node.querySelector("[part=failure]")?.remove();
    if (!item.error) return this.#scroll.end();
    node.append(
      el(
        "div",
        { part: "failure" },
        el("span", {}, t("failed"), " "),
        el("button", { type: "button", "data-do": "retry", onclick: () => retry(item.id) }, t("retry")),
        " · ",
        el("button", { type: "button", "data-do": "delete", onclick: () => drop(item.id) }, t("delete")),
        el("p", {}, item.error),
      ),
    );
  }

  /**
   * The server has the message: as event number `seq`.
   * @param {string} id
   * @param {number} [seq]
   */
  sent(id, seq) {
    const node = this.#waiting(id);
    // Its event may have come first, as after a lost acknowledgement.
    if (!seq || this.#list.querySelector(`[data-seq="${seq}"]`)) node?.remove();
    else if (node) Object.assign(node.dataset, { state: "sent", ack: seq });
    this.#shown();
  }

  /**
   * The waiting bubble that has become this event.
   * @param {RoomEvent} event
   */
  #claim({ seq, text }) {
    const waiting = /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("[data-id]")]);
    const node =
      waiting.find((n) => n.dataset.ack === String(seq)) ??
      waiting.find((n) => n.dataset.state === "pending" && n.querySelector("[part=bubble]")?.textContent === text);
    if (!node) return null;
    delete node.dataset.id;
    delete node.dataset.ack;
    node.dataset.state = "sent";
    const bubble = node.querySelector("[part=bubble]");
    if (bubble && bubble.textContent !== text) bubble.textContent = text; // a plugin has rewritten it
    return node;
  }

  /** @param {RoomEvent} event @returns {HTMLElement | null} null for what only changes another item */
  #make(event) {
    const { t, again } = this.#options;
    const { type, author, data = {} } = event;
    if (type === "message") return message(author, content(event), t);
    if (type === "escalation") return this.#receipts.add(event);
    const words = this.#words(event);
    if (!words) {
      this.#receipts.follow(event);
      return null;
    }
    const node = line(words);
    if (data.state === "ai_failed") {
      const retry = () => again(lastAsked(node));
      // The style sheet hides it once the visitor has written again.
      node.append(" ", el("button", { type: "button", "data-do": "again", onclick: retry }, t("retry")));
    }
    return node;
  }

  /** @param {RoomEvent} event */
  #words({ type, author, data }) {
    const { t } = this.#options;
    const person = author.kind === "admin";
    if (type === "takeover") return person ? t("joined", { name: nameOf(author, t) }) : t("empty.noAi");
    if (type === "handback") return person ? t("handback", { name: nameOf(author, t) }) : "";
    return data?.state === "ai_failed" ? t("aiFailed") : "";
  }

  /** @param {HTMLElement | null} node @param {RoomEvent} event @param {Element | null} [next] */
  #append(node, event, next) {
    if (!node) return;
    node.dataset.seq = String(event.seq);
    node.dataset.at = event.at;
    node.dataset.type = event.type;
    next ??= this.#list.querySelector(".item:not([data-seq])");
    // A claimed bubble mostly stands in its place: moving it would blur focus.
    if (!node.parentNode || (next && node.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_PRECEDING)) {
      this.#list.insertBefore(node, next);
    }
    stamp(node, this.#options.lang);
    this.#shown();
  }

  async #older() {
    if (!this.#more || !this.#first) return;
    const page = await this.#options.older(this.#first).catch(() => null);
    if (!page) return;
    const next = this.#list.querySelector(".item");
    this.#more = page.more && page.events.length > 0;
    this.#first = page.events[0]?.seq ?? this.#first;
    this.#scroll.hold(() => {
      for (const event of page.events) this.#append(this.#make(event), event, next);
      if (next instanceof HTMLElement) stamp(next, this.#options.lang);
    });
  }

  #shown() {
    this.#empty.hidden = this.#list.childElementCount > 0;
  }

  /** @param {string} id */
  #waiting(id) {
    return /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`));
  }
}

/**
 * The visitor's last words before an item.
 * @param {Element} item
 * @returns {string}
 */
function lastAsked(item) {
  for (let node = item.previousElementSibling; node; node = node.previousElementSibling) {
    if (node.matches("[data-from=visitor]")) return node.querySelector("[part=bubble]")?.textContent ?? "";
  }
  return "";
}
