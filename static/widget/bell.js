import { clientId } from "../shared/socket.js";
import { el, Field } from "./dom.js";

const FRESH_MS = 120_000; // a request older than this is not sent unasked

/**
 * What is kept of the dialog: its text, and once Send was pressed the client
 * id and the time, until the server has it or the visitor lets go.
 * @typedef {{text: string, id?: string, since?: number}} Draft
 */

/**
 * The dialog that calls a person. It is modal: the browser keeps the focus in
 * it and the rest inert. A request that finds no connection stays open, is
 * sent by itself within two minutes, and asks after that.
 */
export class Bell {
  element;
  /** @type {Draft} */
  #draft = { text: "" };
  #field;
  #send;
  #options;
  #sending = false;
  #timer = 0;

  /**
   * @param {object} options
   * @param {import("./chat.js").Texts} options.t
   * @param {import("./store.js").Store} options.store
   * @param {import("../shared/socket.js").Socket} options.socket
   * @param {() => void} options.closed where the focus goes back
   */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#field = new Field({
      t,
      part: "reason",
      most: 1000,
      empty: "noReason",
      // Other words are another request; the first may have got through.
      changed: (text) => this.#keep({ text }),
      attributes: { rows: 3 },
    });
    this.#send = el("button", { part: "dialog-send" }, t("send"));
    this.element = el(
      "dialog",
      { part: "dialog", "aria-labelledby": "dialog-title", onclose: () => this.#closed() },
      el(
        "form",
        { onsubmit: (/** @type {Event} */ e) => this.#submit(e) },
        el("h2", { id: "dialog-title" }, t("bell")),
        el("label", { for: "reason" }, t("reason")),
        this.#field.area,
        this.#field.line,
        el("button", { part: "dialog-cancel", type: "button", onclick: () => this.element.close() }, t("cancel")),
        this.#send,
      ),
    );
  }

  open() {
    if (this.element.open) return;
    this.element.showModal();
    this.#take(this.#kept());
    this.#field.area.focus();
  }

  /** Takes up a request that is not through: after a reload, or a welcome. */
  resume() {
    const { id, since = 0 } = this.#kept();
    if (!id) return;
    this.open();
    if (Date.now() - since < FRESH_MS) this.#attempt();
    else this.#wait();
  }

  /** Another tab has written: its words are ours, and so is its success. */
  sync() {
    if (!this.element.open || this.#sending) return;
    const draft = this.#kept();
    const done = this.#draft.id && !draft.id;
    this.#take(draft);
    if (done) this.element.close();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    this.#field.area.focus();
    if (this.#sending || !this.#field.check()) return;
    this.#keep({ text: this.#field.text, id: this.#draft.id ?? clientId(), since: Date.now() });
    this.#attempt();
  }

  async #attempt() {
    const { t, socket } = this.#options;
    const { text, id } = this.#draft;
    if (this.#sending || socket.state !== "online") return this.#wait();
    this.#busy(true);
    try {
      await socket.request("contact-admin", { reason: text }, id);
      this.#busy(false);
      this.#keep({ text: "" });
      this.element.close();
    } catch (error) {
      this.#busy(false);
      const { code, message, retryable, retryAfter } = /** @type {import("../shared/socket.js").Failure} */ (error);
      if (code === "offline") return this.#wait();
      if (!retryable) this.#keep({ text });
      this.#field.tell(retryAfter ? t("flood", { n: retryAfter }) : message);
    }
  }

  /** Not through: it goes by itself with the next welcome, or after a while asks. */
  #wait() {
    if (this.#sending || !this.#draft.id) return;
    const left = (this.#draft.since ?? 0) + FRESH_MS - Date.now();
    this.#field.tell(this.#options.t(left > 0 ? "bell.offline" : "bell.unsent"));
    clearTimeout(this.#timer);
    if (left > 0) this.#timer = setTimeout(() => this.#wait(), left);
  }

  /** Cancelled, or done: the words of a request that was not sent are kept. */
  #closed() {
    this.#keep({ text: this.#draft.text });
    this.#options.closed();
  }

  /** @param {boolean} on */
  #busy(on) {
    this.#sending = on;
    this.#field.area.readOnly = on;
    this.#send.textContent = this.#options.t(on ? "sending" : "send");
    if (on) this.#field.tell("");
  }

  /** @returns {Draft} */
  #kept() {
    return this.#options.store.get("bell", { text: "" });
  }

  /** @param {Draft} draft */
  #take(draft) {
    this.#draft = draft;
    this.#field.text = draft.text;
  }

  /** @param {Draft} draft */
  #keep(draft) {
    clearTimeout(this.#timer);
    this.#draft = draft;
    this.#options.store.set("bell", draft.text ? draft : null);
  }
}
