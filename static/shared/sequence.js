/** @typedef {import("./protocol").RoomEvent} RoomEvent */

/**
 * Puts a room's events in order: each is delivered once, by its number, and
 * one above a gap is held until the gap is closed.
 */
export class Sequence {
  /**
   * The last number delivered, or null before the first page.
   * @type {number | null}
   */
  last = null;
  /** @type {Map<number, RoomEvent>} */
  #held = new Map();
  #deliver;

  /** @param {(event: RoomEvent) => void} deliver */
  constructor(deliver) {
    this.#deliver = deliver;
  }

  /**
   * Forgets the room, or begins it after number `last`.
   * @param {number | null} last
   */
  start(last) {
    this.last = last;
    this.#held.clear();
  }

  /** @param {RoomEvent} event */
  offer(event) {
    if (this.last === null || event.seq <= this.last) return;
    this.#held.set(event.seq, event);
    for (let next; (next = this.#held.get(this.last + 1)); ) {
      this.#held.delete(next.seq);
      this.last = next.seq;
      this.#deliver(next);
    }
  }

  /** Whether an event waits for one that is missing. */
  get gap() {
    return this.#held.size > 0;
  }
}
