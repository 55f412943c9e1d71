import { clientId, Failure } from "./socket.js";

/** @typedef {import("./protocol").Pending} Pending */

const TRIES = 5; // of a frame that fails though the server asks to retry

/**
 * Frames that must get through. Each keeps its client id and is sent, one at
 * a time and in order, until the server has acknowledged it; after a lost
 * connection it goes out again, which the server's idempotency makes harmless.
 * What it refuses for good stays, marked, for a person to decide.
 *
 * With a store the frames outlive the page. Tabs may share it: each entry is
 * written and removed on its own.
 */
export class Outbox {
  /** @type {Pending[]} */
  items;
  #socket;
  #options;
  #busy = false;

  /**
   * @param {import("./socket.js").Socket} socket
   * @param {object} options
   * @param {() => Pending[]} [options.load]
   * @param {(items: Pending[]) => void} [options.save]
   * @param {(item: Pending, ack: import("./protocol").Ack) => void} options.sent
   * @param {(item: Pending, failure: Failure) => void} options.failed
   * @param {(seconds: number) => void} [options.slowed] the server asked for
   *   patience; the item is sent again by itself
   * @param {(item: Pending) => void} [options.gone] see sync()
   */
  constructor(socket, options) {
    this.#socket = socket;
    this.#options = options;
    this.items = options.load?.() ?? [];
    socket.on("welcome", () => this.#flush());
  }

  /** @param {string} type @param {any} data @returns {Pending} */
  add(type, data) {
    const item = { id: clientId(), type, data, at: Date.now() };
    this.items.push(item);
    this.#keep(item);
    this.#socket.hurry();
    this.#flush();
    return item;
  }

  /**
   * Sends a refused item as a new one.
   * @param {string} id
   * @returns {Pending | undefined}
   */
  retry(id) {
    const item = this.drop(id);
    return item && this.add(item.type, item.data);
  }

  /** @param {string} id */
  drop(id) {
    const item = this.items.find((i) => i.id === id);
    if (item) this.#remove(item);
    return item;
  }

  /** After another tab wrote to the store: lets go of what that tab has seen through. */
  sync() {
    const kept = new Set(this.#options.load?.().map((i) => i.id));
    const gone = this.items.filter((i) => !kept.has(i.id));
    this.items = this.items.filter((i) => kept.has(i.id));
    for (const item of gone) this.#options.gone?.(item);
  }

  async #flush() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#sendAll();
    } finally {
      this.#busy = false; // also where a callback throws: the next add goes on
    }
  }

  async #sendAll() {
    let tries = 0;
    for (let item; (item = this.items.find((i) => !i.error)) && this.#socket.state === "online"; ) {
      let ack;
      try {
        ack = await this.#socket.request(item.type, item.data, item.id);
      } catch (error) {
        const failure = /** @type {Failure} */ (error);
        if (failure.code === "offline") break; // the next welcome goes on
        if (failure.retryable && ++tries < TRIES) {
          const seconds = failure.retryAfter || tries;
          if (failure.code === "rate_limited") this.#options.slowed?.(seconds);
          await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        } else {
          tries = 0;
          item.error = failure.message || failure.code;
          this.#keep(item);
          this.#options.failed(item, failure);
        }
        continue;
      }
      tries = 0;
      this.#remove(item);
      this.#options.sent(item, ack);
    }
  }

  /** @param {Pending} item */
  #remove(item) {
    this.items = this.items.filter((i) => i !== item);
    this.#write(item.id);
  }

  /** @param {Pending} item */
  #keep(item) {
    this.#write(item.id, item);
  }

  /** @param {string} id @param {Pending} [item] */
  #write(id, item) {
    const { load, save } = this.#options;
    if (!load || !save) return;
    const others = load().filter((i) => i.id !== id);
    save(item ? [...others, item] : others);
  }
}
