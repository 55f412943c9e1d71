import { Sequence } from "./sequence.js";

/** @typedef {import("./protocol").RoomEvent} RoomEvent */
/** @typedef {import("./protocol").Signals} Signals */
/** @typedef {import("./protocol").State} State */

const CONNECT_MS = 15_000; // from dialling to welcome
const ANSWER_MS = 15_000; // without an answer for so long the line is dead
const PROBE_MS = 5_000; // the same, when there is reason to doubt it
const LOOK_MS = 15_000; // between two looks at the clock; a minute in a hidden tab
const QUIET_MS = 45_000; // silence that is doubted: the server's pings do not show here
const ASLEEP_MS = 90_000; // since the last look: we slept, and the server has let go of us
const STEADY_MS = 10_000; // up for so long, the next backoff starts anew
const PAGE = 100;

/** The close codes after which a client may come back; 1006 is a broken line. */
const COME_BACK = new Set([1001, 1006, 1011, 1012, 1013, 4408, 4429]);

/** An error frame, or a request that the connection did not outlive ("offline"). */
export class Failure extends Error {
  /** @param {{code: string, message?: string, retryable?: boolean, retry_after?: number}} data */
  constructor({ code, message = "", retryable = false, retry_after = 0 }) {
    super(message);
    this.code = code;
    /** The same frame with the same id may succeed later. */
    this.retryable = retryable;
    /** Seconds to wait before that. */
    this.retryAfter = retry_after;
  }
}

/** An id for a frame that may be sent again: 96 random bits. */
export const clientId = () =>
  // Not randomUUID, which pages without https do not have.
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * The client of the bellhub.v1 protocol, for the widget and the console alike.
 *
 *     const socket = new Socket({ url, hello: () => ({ domain, token, room }) });
 *     socket.on("welcome", ({ fresh, events }) => …); // fresh: draw the room
 *     socket.on("event", (event) => …);               // then add to it
 *     socket.open();
 *     const { seq } = await socket.request("message", { text }, clientId());
 *
 * It promises:
 *  - after a welcome, "event" brings each event once, in order, without gaps,
 *    across reconnections too; what is missing is fetched before it goes on;
 *  - it comes back by itself after every close that permits it, with jitter,
 *    and at once when the page is shown or the network returns;
 *  - a line that died without a word is found out: at once when the machine has
 *    slept, and within about a minute where it probes;
 *  - a request is answered, or fails when its connection does. What must get
 *    through goes into an Outbox (outbox.js), which sends it again.
 */
export class Socket {
  /** @type {State} */
  state = "closed";
  /** The close code that ended the last connection; 0 where close() did. */
  code = 0;
  /**
   * What this member may send, as of the last welcome.
   * @type {string[]}
   */
  frames = [];

  #options;
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();
  /** @type {Map<string, {resolve: (data: any) => void, reject: (why: Failure) => void, timer: number}>} */
  #waiting = new Map();
  #log = new Sequence((event) => this.#emit("event", event));
  /** @type {WebSocket | null} */
  #ws = null;
  /** @type {AbortController | null} */
  #page = null;
  /**
   * The room that #log counts.
   * @type {string | undefined}
   */
  #room;
  #timer = 0;
  #attempt = 0;
  #welcomedAt = 0;
  #notBefore = 0;
  #lookedAt = 0;
  #heardAt = 0;
  #requests = 0;
  #filling = false;
  #forgot = false;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => Record<string, unknown>} options.hello the data of each
   *   hello; `after` is added here
   * @param {boolean} [options.probe] asks, when nothing came for long, whether
   *   the line lives. An admin's session must not: it ends when a person is idle
   * @param {() => void} [options.forget] drops a token that is not valid any
   *   more (4401); the socket then says hello once anew
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Listens to a signal, or to a frame of that type. "frame" brings those that
   * nobody listens to by their type.
   * @template {keyof Signals} K
   * @param {K} name
   * @param {(detail: Signals[K]) => void} listener
   * @returns {() => void} ends it
   */
  on(name, listener) {
    const key = String(name);
    const set = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, set.add(listener));
    return () => set.delete(listener);
  }

  /** Connects, and stays connected until close(). Also after a final close. */
  open() {
    if (!this.#page) {
      this.#page = new AbortController();
      const { signal } = this.#page;
      const wake = () => document.visibilityState === "visible" && this.#wake();
      document.addEventListener("visibilitychange", wake, { signal });
      addEventListener("online", () => this.#wake(), { signal });
      addEventListener("offline", () => this.#doubt(), { signal });
      const clock = setInterval(() => this.#look(), LOOK_MS);
      signal.addEventListener("abort", () => clearInterval(clock));
      this.#lookedAt = Date.now();
    }
    if (this.state === "closed") this.#connect();
  }

  /** Ends the connection and forgets the room. */
  close() {
    this.#page?.abort();
    this.#page = null;
    this.#log.start(null);
    this.#end(0);
  }

  /**
   * Sends a frame and waits for its answer.
   * @param {string} type
   * @param {unknown} [data]
   * @param {string} [id] a client id, for a frame that may be sent again
   * @param {number} [patience] milliseconds, after which the line counts as dead
   * @returns {Promise<any>} the answer's data; fails with a Failure
   */
  request(type, data, id, patience) {
    if (this.state !== "online") return Promise.reject(new Failure({ code: "offline", retryable: true }));
    return this.#ask(type, data, id, patience);
  }

  /**
   * Sends an ephemeral frame, if connected.
   * @param {string} type
   * @param {unknown} data
   */
  send(type, data) {
    if (this.state === "online") this.#ws?.send(JSON.stringify({ type, data }));
  }

  /**
   * A page of the log: before (scrolling up) or after a number.
   * @param {{before?: number, after?: number, limit?: number}} where
   * @param {number} [patience]
   * @returns {Promise<import("./protocol").Page>}
   */
  history(where, patience) {
    return this.request("history", { limit: PAGE, ...where }, undefined, patience);
  }

  /** Somebody waits for the line: connects now, not when the backoff is over. */
  hurry() {
    if (this.state === "waiting" && Date.now() >= this.#notBefore) this.#connect();
  }

  #connect() {
    this.#drop();
    this.#set("connecting");
    const ws = new WebSocket(this.#options.url, ["bellhub.v1"]);
    this.#ws = ws;
    // A socket that was given up may still speak: each handler asks first.
    ws.onopen = () => this.#ws === ws && this.#hello();
    ws.onmessage = ({ data }) => this.#ws === ws && this.#receive(JSON.parse(data));
    ws.onclose = ({ code, reason }) => this.#ws === ws && this.#lost(code, reason);
    this.#timer = setTimeout(() => this.#lost(1006), CONNECT_MS);
  }

  async #hello() {
    const data = this.#options.hello();
    // Another tab may have moved to another room: its log is not ours.
    const after = data.room === this.#room ? this.#log.last : null;
    try {
      const welcome = await this.#ask("hello", after === null ? data : { ...data, after });
      this.#welcome(welcome, after === null);
    } catch (error) {
      const failure = /** @type {Failure} */ (error);
      if (failure.code === "offline") return; // #lost has seen to it
      if (failure.code === "resync" && after !== null) {
        this.#log.start(null);
        this.#hello();
      } else if (failure.retryable) {
        this.#lost(1013, String(failure.retryAfter || ""));
      } else if (failure.code !== "not_found" || !this.#forget()) {
        this.#end(0, failure);
      }
    }
  }

  /** @param {import("./protocol").Welcome} welcome @param {boolean} fresh */
  #welcome(welcome, fresh) {
    const { room, events = [], more = false, frames = [] } = welcome;
    clearTimeout(this.#timer);
    this.#welcomedAt = Date.now();
    this.#forgot = false;
    this.#room = room?.id;
    this.frames = frames;
    if (fresh) this.#log.start(events.at(-1)?.seq ?? 0);
    this.#set("online");
    this.#emit("welcome", { ...welcome, frames, fresh, more: fresh && more, events: fresh ? events : [] });
    if (!fresh) this.#offer(events, more);
  }

  /** @param {any} frame */
  #receive({ type, id, data }) {
    this.#heardAt = Date.now();
    const waiting = this.#waiting.get(id);
    if (waiting) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
      if (type === "error") waiting.reject(new Failure(data));
      else waiting.resolve(data);
    } else if (type === "event") {
      this.#offer([data], false);
    } else if (type === "error") {
      if (data.code === "resync") this.#resync();
    } else if (this.#listeners.has(type)) {
      this.#emit(type, data);
    } else {
      this.#emit("frame", { type, data }); // a plugin's
    }
  }

  /** @param {import("./protocol").RoomEvent[]} events @param {boolean} more */
  #offer(events, more) {
    for (const event of events) this.#log.offer(event);
    if (more || this.#log.gap) this.#fill();
  }

  /**
   * Fetches what is missing, page by page; live events wait above the gap.
   * @param {number} [patience]
   */
  async #fill(patience) {
    if (this.#filling) return;
    this.#filling = true;
    try {
      for (let more = true; more; ) {
        const after = this.#log.last ?? 0;
        const page = await this.history({ after }, patience);
        for (const event of page.events) this.#log.offer(event);
        more = page.more || this.#log.gap;
        if (more && this.#log.last === after) return this.#resync();
      }
    } catch (error) {
      const { code } = /** @type {Failure} */ (error);
      if (code === "resync") this.#resync();
      else if (code !== "offline") this.#lost(1013);
    } finally {
      this.#filling = false;
    }
  }

  /** Our place in the log means nothing to the server: begin with a new page. */
  #resync() {
    this.#log.start(null);
    this.#lost(1011);
  }

  /**
   * @param {string} type @param {unknown} data @param {string} [id]
   * @param {number} [patience] milliseconds
   */
  #ask(type, data, id = `r${++this.#requests}`, patience = ANSWER_MS) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lost(1006), patience);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#ws?.send(JSON.stringify({ type, id, data }));
    });
  }

  /**
   * The connection is gone: what comes next is the close code's to say.
   * @param {number} code
   */
  #lost(code, reason = "") {
    const steady = this.#welcomedAt && Date.now() - this.#welcomedAt > STEADY_MS;
    this.#welcomedAt = 0;
    if (code === 4401 && this.#forget()) return;
    if (!COME_BACK.has(code)) return this.#end(code);
    this.#drop();
    this.#attempt = steady ? 1 : this.#attempt + 1;
    const told = Number(/\d+/.exec(reason)?.[0] ?? 0) * 1000;
    let delay = 500 + Math.random() * (Math.min(30_000, 500 * 2 ** this.#attempt) - 500);
    if (code === 1012) delay = Math.random() * 10_000;
    if (code === 4429 || told) {
      delay += told || 10_000;
      this.#notBefore = Date.now() + delay; // a penalty: waking does not shorten it
    }
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#set("waiting", code);
  }

  /** Says hello once as a stranger; false when that was tried already. */
  #forget() {
    if (!this.#options.forget || this.#forgot) return false;
    this.#forgot = true;
    this.#options.forget();
    this.#log.start(null);
    this.#connect();
    return true;
  }

  /** @param {number} code @param {Failure} [failure] */
  #end(code, failure) {
    this.#drop();
    this.#attempt = 0;
    this.#set("closed", code, failure);
  }

  /** Lets go of the connection; whoever waits for an answer is told. */
  #drop() {
    clearTimeout(this.#timer);
    const ws = this.#ws;
    this.#ws = null;
    ws?.close();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Failure({ code: "offline", retryable: true }));
    }
    this.#waiting.clear();
  }

  /** Neither a dead line nor a sleeping machine says a word. */
  #look() {
    const now = Date.now();
    if (now - this.#lookedAt > ASLEEP_MS) this.#wake();
    else if (this.#options.probe && this.state === "online" && now - this.#heardAt > QUIET_MS) this.#doubt();
    this.#lookedAt = now;
  }

  /** The page is looked at again, or the network is back. */
  #wake() {
    const now = Date.now();
    const slept = now - this.#lookedAt > ASLEEP_MS;
    this.#lookedAt = now;
    if (this.state === "closed" || now < this.#notBefore) return;
    if (slept || this.state === "waiting") this.#connect();
    else if (this.state === "online") this.#doubt();
  }

  /** The line may be open and dead: asks for what is new, which tells. */
  #doubt() {
    if (this.state !== "online") return this.#set(this.state, this.code);
    if (this.#room) this.#fill(PROBE_MS);
    // Where there is no log the server refuses: an answer, too.
    else this.history({ after: 0 }, PROBE_MS).catch(() => {});
  }

  /** @param {State} state @param {Failure} [failure] */
  #set(state, code = 0, failure) {
    this.state = state;
    this.code = code;
    this.#emit("state", { state, code, failure });
  }

  /** @param {string} name @param {any} detail */
  #emit(name, detail) {
    for (const listener of this.#listeners.get(name) ?? []) {
      // One listener's mistake must not cost the others an event.
      try {
        listener(detail);
      } catch (error) {
        console.error("bellhub:", error);
      }
    }
  }
}
