import { Scroll } from "../shared/scroll.js";
import { byId, el } from "./dom.js";
import { Growing } from "./growing.js";
import { bellCard, line, message, nameOf, stamp } from "./item.js";
import { maybe, t } from "./words.js";

/** @typedef {import("../shared/protocol").RoomEvent} RoomEvent */
/** @typedef {import("../shared/protocol").Author} Author */
/** @typedef {import("../shared/protocol").Pending} Pending */

/**
 * The conversation: the log's events by number (`data-seq`), then our replies
 * that are not in it yet (`data-id`), then what grows.
 */
export class Thread {
  #list = byId("thread");
  #empty = el("p", { class: "nothing" }, t("empty"));
  #growing = new Growing(this.#list);
  #scroll;
  #options;
  #first = 0;
  #more = false;
  /**
   * How far each call for a person has got, and by which event.
   * @type {Map<string, {seq: number, state: string}>}
   */
  #states = new Map();
  /** The newest call for a person. */
  #call = { id: "", seq: 0 };

  /**
   * @param {object} options
   * @param {() => Author} options.you
   * @param {(before: number) => Promise<import("../shared/protocol").Page>} options.older
   * @param {(id: string) => void} options.retry a reply that failed
   * @param {(id: string) => void} options.drop
   */
  constructor(options) {
    this.#options = options;
    const box = byId("scroller");
    const pill = el("button", { type: "button", class: "pill" }, t("newMessages"));
    box.after(pill);
    this.#scroll = new Scroll(box, this.#list, pill, () => this.#older());
  }

  /**
   * Begins with the newest page.
   * @param {RoomEvent[]} events
   * @param {boolean} more
   */
  reset(events, more) {
    this.#growing.clear();
    this.#states.clear();
    this.#call = { id: "", seq: 0 };
    this.#list.replaceChildren(this.#empty);
    this.#more = more;
    this.#first = events[0]?.seq ?? 0;
    for (const event of events) this.#put(event, null);
    this.#scroll.end();
  }

  /**
   * Adds an event at the log's end; returns what it told, "" if nothing.
   * @param {RoomEvent} event
   */
  add(event) {
    this.#growing.ended(event);
    this.#list.querySelector(`[data-ack="${event.seq}"]`)?.remove();
    const node = this.#put(event, this.#list.querySelector(":scope > :not([data-seq]):not(.nothing)"));
    if (!node) return event.type === "notice" ? maybe(`state.${event.data?.state}`) : "";
    if (event.author.kind !== "admin" || event.author.id !== this.#options.you().id) this.#scroll.arrived();
    const text = event.text || node.textContent || "";
    return event.type === "message" ? `${this.#name(event.author)}: ${text}` : text;
  }

  /**
   * Shows a reply on its way, or one that was refused.
   * @param {Pending} item
   */
  pending(item) {
    let node = this.#waiting(item.id);
    if (!node) {
      node = message(this.#options.you(), t("you"), item.data.text, new Date(item.at));
      node.dataset.id = item.id;
      node.classList.add("mine");
      this.#list.insertBefore(node, this.#list.querySelector("[data-growing]"));
      stamp(node);
      this.#shown();
      this.#scroll.end();
    }
    node.dataset.state = item.error ? "failed" : "pending";
    node.querySelector(".failure")?.remove();
    if (!item.error) return;
    const { retry, drop } = this.#options;
    node.append(
      el(
        "div",
        { class: "failure" },
        el("p", {}, `${t("failed")} ${item.error}`),
        el("button", { type: "button", class: "quiet small", "data-do": "retry", onclick: () => retry(item.id) }, t("retry")),
        el("button", { type: "button", class: "quiet small", "data-do": "delete", onclick: () => drop(item.id) }, t("delete")),
      ),
    );
  }

  /**
   * The server has the reply, as event number `seq`.
   * @param {string} id
   * @param {number} seq
   */
  sent(id, seq) {
    const node = this.#waiting(id);
    // Its event may have come first, as after a lost acknowledgement.
    if (this.#list.querySelector(`[data-seq="${seq}"]`)) node?.remove();
    else if (node) Object.assign(node.dataset, { state: "sent", ack: seq });
  }

  /** @param {string} id */
  drop(id) {
    this.#waiting(id)?.remove();
    this.#shown();
  }

  /** @param {import("../shared/protocol").Stream} frame */
  stream(frame) {
    this.#growing.stream(frame);
  }

  /** @param {Author} author @param {boolean} on */
  typing(author, on) {
    if (author.id !== this.#options.you().id) this.#growing.typing(author, this.#name(author), on);
  }

  /** The connection broke: what grew has a hole from here on. */
  interrupt() {
    this.#growing.clear();
  }

  /** @param {RoomEvent} event @param {Element | null} next @returns {HTMLElement | null} null for what only changes another item */
  #put(event, next) {
    this.#note(event);
    const node = this.#make(event);
    if (!node) return null;
    node.dataset.seq = String(event.seq);
    node.dataset.type = event.type;
    this.#list.insertBefore(node, next);
    stamp(node);
    this.#shown();
    return node;
  }

  /** @param {RoomEvent} event */
  #make(event) {
    const { type, author, data = {}, text } = event;
    const at = new Date(event.at);
    if (type === "message") {
      const node = message(author, this.#name(author), text, at, event.html);
      node.classList.toggle("mine", author.kind === "admin" && author.id === this.#options.you().id);
      return node;
    }
    if (type === "escalation") return bellCard(event, this.#states.get(data.escalation)?.state ?? data.state);
    const name = this.#name(author, true);
    const person = author.kind === "admin";
    if (type === "takeover") return line(person ? t("took", { name }) : t("mode.nobody"), at);
    if (type === "handback") return person ? line(t("handedBack", { name }), at) : null;
    return data.state === "ai_failed" ? line(t("aiFailed"), at) : null;
  }

  /**
   * Keeps how far a call for a person has got, and shows it on its card.
   * @param {RoomEvent} event
   */
  #note({ seq, type, author, data }) {
    if (type === "escalation" && seq > this.#call.seq) this.#call = { id: data?.escalation ?? "", seq };
    // Somebody who takes over, or answers, has heard the newest call.
    const { id } = this.#call;
    const heard = author.kind === "admin" && (type === "takeover" || type === "message") && seq > this.#call.seq;
    if (heard && id) return this.#state(id, seq, "joined");
    if (data?.escalation && (type === "escalation" || type === "notice")) this.#state(data.escalation, seq, data.state);
  }

  /** @param {string} id @param {number} seq @param {string} state */
  #state(id, seq, state) {
    const known = this.#states.get(id);
    // Of an older page, or an email's news after somebody has come.
    if (known && (known.seq > seq || known.state === "joined")) return;
    this.#states.set(id, { seq, state });
    for (const card of this.#list.querySelectorAll(`[data-escalation="${CSS.escape(id)}"]`)) {
      card.setAttribute("data-state", state);
      card.querySelector("[data-part=state]")?.replaceChildren(maybe(`state.${state}`));
    }
  }

  async #older() {
    if (!this.#more || !this.#first) return;
    const page = await this.#options.older(this.#first).catch(() => null);
    if (!page) return;
    const next = this.#list.querySelector("[data-seq]");
    this.#more = page.more && page.events.length > 0;
    this.#first = page.events[0]?.seq ?? this.#first;
    this.#scroll.hold(() => {
      for (const event of page.events) this.#put(event, next);
      if (next instanceof HTMLElement) stamp(next);
    });
  }

  /** @param {Author} author */
  #name(author, plain = false) {
    if (!plain && author.kind === "admin" && author.id === this.#options.you().id) return t("you");
    return nameOf(author);
  }

  #shown() {
    this.#empty.hidden = this.#list.childElementCount > 1;
  }

  /** @param {string} id */
  #waiting(id) {
    return /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`));
  }
}
