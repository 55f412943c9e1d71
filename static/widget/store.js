/** @typedef {import("../shared/protocol").RoomEvent} RoomEvent */

/**
 * What outlives the page, under `bellhub:<widget key>`: the session (token and
 * room) under that very name, the rest under `bellhub:<widget key>:<name>`.
 * All of it but `open` is shared by the site's tabs.
 */
export class Store {
  #prefix;
  /**
   * Stands in where a browser grants no storage.
   * @type {Map<string, string>}
   */
  #memory = new Map();

  /** @param {string} key */
  constructor(key) {
    this.#prefix = `bellhub:${key}`;
  }

  /**
   * @param {string} name
   * @param {any} [fallback]
   * @returns {any}
   */
  get(name, fallback = null) {
    const key = this.#key(name);
    let text;
    try {
      text = this.#area(name).getItem(key);
    } catch {
      text = this.#memory.get(key);
    }
    try {
      return JSON.parse(text ?? "null") ?? fallback;
    } catch {
      return fallback; // somebody else wrote there
    }
  }

  /**
   * Keeps a value; null removes it.
   * @param {string} name
   * @param {any} value
   */
  set(name, value) {
    const key = this.#key(name);
    const text = JSON.stringify(value);
    this.#memory.set(key, text);
    try {
      if (value === null) this.#area(name).removeItem(key);
      else this.#area(name).setItem(key, text);
    } catch {}
  }

  /**
   * Tells what another tab changed; "" is the session.
   * @param {(name: string) => void} listener @param {AbortSignal} signal
   */
  watch(listener, signal) {
    const changed = (/** @type {StorageEvent} */ { key }) => {
      if (`${key}:`.startsWith(`${this.#prefix}:`)) listener(key?.slice(this.#prefix.length + 1) ?? "");
    };
    addEventListener("storage", changed, { signal });
  }

  /** @returns {{token?: string, room?: string, name?: string}} */
  get session() {
    return this.get("", {});
  }

  set session(session) {
    this.set("", session);
  }

  #key(/** @type {string} */ name) {
    return name ? `${this.#prefix}:${name}` : this.#prefix;
  }

  #area(/** @type {string} */ name) {
    return name === "open" ? sessionStorage : localStorage;
  }
}

/** Notices that stand beside an event which tells the same. */
const SILENT = ["joined", "answered"];

/**
 * What others have said and done since the visitor last looked. How far that
 * was outlives the page, and other tabs know it.
 */
export class Unread {
  /** @type {number[]} */
  #seqs = [];
  #store;
  #changed;

  /** @param {import("./store.js").Store} store @param {(n: number) => void} changed */
  constructor(store, changed) {
    this.#store = store;
    this.#changed = changed;
  }

  /** @param {RoomEvent[]} events */
  add(...events) {
    const read = this.#store.get("read", 0);
    for (const { seq, author, data } of events) {
      const news = author.kind !== "visitor" && !SILENT.includes(data?.state);
      if (news && seq > read && !this.#seqs.includes(seq)) this.#seqs.push(seq);
    }
    this.#changed(this.#seqs.length);
  }

  /**
   * Everything up to a number was seen.
   * @param {number} seq
   */
  read(seq) {
    if (seq > this.#store.get("read", 0)) this.#store.set("read", seq);
    this.sync();
  }

  /** Another tab may have been looked at. */
  sync() {
    const read = this.#store.get("read", 0);
    this.#seqs = this.#seqs.filter((seq) => seq > read);
    this.#changed(this.#seqs.length);
  }

  /** Another conversation begins. */
  clear() {
    this.#store.set("read", null);
    this.#seqs = [];
    this.#changed(0);
  }
}
