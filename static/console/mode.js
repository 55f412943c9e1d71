import { announce, byId, el } from "./dom.js";
import { t } from "./words.js";

/** @typedef {import("../shared/protocol").Room} Room */
/** @typedef {import("../shared/protocol").Author} Author */

/** Who answers in the room, and the ways to change it. */
export class Mode {
  #box = byId("mode");
  #text = /** @type {HTMLElement} */ (this.#box.querySelector("[data-mode-text]"));
  #actions = /** @type {HTMLElement} */ (this.#box.querySelector("[data-mode-actions]"));
  #options;
  /** @type {Room | null} */
  #room = null;
  #drawn = "";
  #busy = false;

  /**
   * @param {object} options
   * @param {(type: string, data?: object) => Promise<any>} options.ask
   * @param {() => void} options.again reads the room anew
   * @param {boolean} options.ai the domain's AI is on: a room can be handed back to it
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @param {Room} room
   * @param {Author} you
   * @param {string[] | false} frames what may be sent; false while offline
   */
  show(room, you, frames) {
    this.#room = room;
    const { mode, holder } = room;
    const mine = !!holder && holder.id === you.id;
    const name = holder?.name || t("team");
    const kind = mode === "ai" ? "ai" : mine ? "you" : holder ? "person" : "nobody";
    const may = (/** @type {string} */ frame) => !!frames && frames.includes(frame);
    // Drawing anew would take the focus from a button that stays the same.
    const drawn = [kind, holder?.id, name, room.epoch, may("takeover"), may("handback")].join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const held = this.#actions.contains(document.activeElement);
    this.#box.dataset.mode = kind;
    this.#text.textContent = t(`mode.${kind}`, { name });
    this.#actions.replaceChildren();
    if (kind === "you" && may("handback") && this.#options.ai) this.#add("handback", () => this.#handback());
    if (kind === "ai" && may("takeover")) this.#add("takeover", () => this.#takeover());
    if (kind === "nobody" && may("takeover")) this.#add("takeover", () => this.#takeover());
    if (kind === "person" && may("takeover")) this.#add("takeoverFrom", () => this.#takeover(), { name });
    if (held) this.#actions.querySelector("button")?.focus();
  }

  /**
   * Says something in place of who answers.
   * @param {string} text
   */
  say(text) {
    this.#drawn = "";
    this.#text.textContent = text;
    this.#actions.replaceChildren();
  }

  /**
   * Nothing goes on here any more.
   * @param {string} text
   * @param {Node[]} ways
   */
  end(text, ...ways) {
    this.say(text);
    this.#box.dataset.mode = "ended";
    this.#actions.append(...ways);
    announce(text);
  }

  /** @param {string} name @param {() => void} act @param {Record<string, string>} [values] */
  #add(name, act, values) {
    const quiet = name === "takeover" ? "" : "quiet";
    this.#actions.append(el("button", { type: "button", class: quiet, "data-do": name, onclick: act }, t(name, values)));
  }

  async #takeover() {
    const failure = await this.#send("takeover");
    // Who holds the room is in the log; until that has arrived the server's
    // words must do.
    if (failure?.code === "held" && this.#room?.holder) this.#confirm(this.#room.holder, this.#room.epoch);
    else this.#explain(failure);
  }

  /**
   * Somebody else answers: asks once, and takes over from just that state.
   * @param {Author} holder
   * @param {number} epoch
   */
  #confirm(holder, epoch) {
    const name = holder.name || t("team");
    const question = t("takeoverAsk", { name });
    const yes = async () => {
      const failure = await this.#send("takeover", { epoch });
      if (failure?.code === "stale_epoch") this.#options.again();
      this.#explain(failure);
    };
    const no = () => {
      this.#drawn = "";
      this.#text.textContent = t("mode.person", { name });
      this.#actions.replaceChildren();
      this.#add("takeoverFrom", () => this.#takeover(), { name });
      this.#actions.querySelector("button")?.focus();
    };
    this.#text.textContent = question;
    const confirm = el("button", { type: "button", "data-do": "confirm", onclick: yes }, t("takeoverYes"));
    const cancel = el("button", { type: "button", class: "quiet", "data-do": "cancel", onclick: no }, t("cancel"));
    this.#actions.replaceChildren(confirm, cancel);
    confirm.focus();
    announce(question);
  }

  async #handback() {
    this.#explain(await this.#send("handback"));
  }

  /**
   * Sends one frame at a time.
   * @param {string} type @param {object} [data]
   * @returns {Promise<{code: string, message: string} | null>} why it failed
   */
  async #send(type, data) {
    if (this.#busy) return null;
    this.#busy = true;
    this.#actions.setAttribute("aria-busy", "true");
    try {
      await this.#options.ask(type, data);
      return null;
    } catch (error) {
      return /** @type {import("../shared/socket.js").Failure} */ (error);
    } finally {
      this.#busy = false;
      this.#actions.removeAttribute("aria-busy");
    }
  }

  /** @param {{code: string, message: string} | null} failure */
  #explain(failure) {
    if (!failure) return;
    const why = failure.code === "offline" ? t("gone") : failure.message;
    this.#actions.querySelector(".why")?.remove();
    this.#actions.append(el("p", { class: "why error", role: "alert" }, why));
  }
}
