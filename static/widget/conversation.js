import { Outbox } from "../shared/outbox.js";
import { clientId, Socket } from "../shared/socket.js";
import { Panel } from "./panel.js";
import { Unread } from "./store.js";

/** @typedef {import("../shared/protocol").RoomEvent} RoomEvent */
/** @typedef {import("../shared/protocol").Welcome} Welcome */

const PATIENCE_MS = 1000; // a connection back within this is not spoken of

/** One visitor's conversation: what the server says goes to the panel, and back. */
export class Conversation {
  panel;
  unread;
  #options;
  #socket;
  #outbox;
  /** @type {Pick<import("../shared/protocol").Room, "id" | "mode" | "holder" | "epoch" | "seq">} */
  #room = { id: "", mode: "ai", holder: null, epoch: 0, seq: 0 };
  #seq = 0;
  #looking = false;
  #dialled = false;
  #welcomed = false;
  #patience = 0;
  #downSince = 0;
  #flood = 0;

  /**
   * @param {object} options
   * @param {string} options.domain the widget key
   * @param {string} options.origin of the server
   * @param {import("./store.js").Store} options.store
   * @param {import("./chat.js").Texts} options.t
   * @param {string} options.lang
   * @param {() => void} options.close the panel
   * @param {(n: number) => void} options.unread
   * @param {(event: RoomEvent) => void} options.message each new message
   * @param {(frame: {type: string, data: any}) => void} options.frame a plugin's
   * @param {(paths: string[]) => void} options.scripts of plugins, with each welcome
   * @param {AbortSignal} options.signal
   */
  constructor(options) {
    const { domain, origin, store, lang, signal } = options;
    this.#options = options;
    let used = "";
    this.#socket = new Socket({
      url: `${origin.replace(/^http/, "ws")}/ws`,
      probe: true,
      hello: () => {
        const { token = "", room } = store.session;
        used = token;
        return { domain, lang, ...(token && { token, room }) };
      },
      forget: () => {
        // Another tab may have a new token already.
        if (store.session.token === used) this.#forget();
      },
    });
    this.unread = new Unread(store, options.unread);
    this.panel = new Panel({
      ...options,
      socket: this.#socket,
      send: (text) => this.#say(text),
      typing: (on) => this.#tell("typing", { on }),
      retry: (id) => {
        const item = this.#outbox.retry(id);
        this.panel.thread.sent(id);
        if (item) this.panel.thread.pending(item);
      },
      drop: (id) => {
        this.#outbox.drop(id);
        this.panel.thread.sent(id);
        this.panel.composer.field.area.focus();
      },
    });
    const { thread } = this.panel;
    this.#outbox = new Outbox(this.#socket, {
      load: () => store.get("outbox", []),
      save: (items) => store.set("outbox", items.length ? items : null),
      sent: ({ id }, { seq }) => thread.sent(id, seq),
      gone: ({ id }) => thread.sent(id),
      failed: (item, { code }) => {
        thread.pending(item);
        this.panel.say(`${options.t("failed")} ${item.error}`);
        if (code === "gone") this.#final("ended");
      },
      slowed: (seconds) => this.#slow(seconds),
    });
    this.panel.title(store.session.name ?? options.t("title"));
    this.panel.answerer(this.#room);
    for (const item of this.#outbox.items) thread.pending(item);
    this.#listen();
    store.watch((name) => this.#shared(name), signal);
    const shown = () => {
      this.#tell("presence", { state: document.hidden ? "away" : "online" });
      this.look(this.#looking);
    };
    document.addEventListener("visibilitychange", shown, { signal });
    signal.addEventListener("abort", () => this.#socket.close());
  }

  /** Connects, the first time. */
  dial() {
    if (!this.#dialled) this.#socket.open();
    this.#dialled = true;
  }

  /**
   * Sends a plugin's frame, and brings what it is acknowledged with.
   * @param {string} type @param {unknown} data
   */
  request(type, data) {
    return this.#socket.request(type, data, clientId());
  }

  /**
   * Whether the visitor sees the thread: then it is read.
   * @param {boolean} looking
   */
  look(looking) {
    this.#looking = looking;
    if (looking && !document.hidden) this.unread.read(this.#seq);
  }

  #listen() {
    const socket = this.#socket;
    const { thread } = this.panel;
    socket.on("state", (change) => this.#state(change));
    socket.on("welcome", (welcome) => this.#welcome(welcome));
    socket.on("event", (event) => this.#event(event));
    socket.on("typing", ({ author, on }) => author.kind !== "visitor" && thread.growing.typing(author, on));
    socket.on("frame", this.#options.frame);
    socket.on("stream", (frame) => {
      if (frame.epoch < this.#room.epoch || this.#room.mode !== "ai") return;
      thread.growing.stream(frame);
    });
    socket.on("presence", ({ holder }) => {
      const { mode, holder: person } = this.#room;
      const away = holder === "away" && mode === "live" && person;
      const name = person?.name || this.#options.t("team");
      this.panel.notice.set("away", away ? { text: this.#options.t("away", { name }) } : undefined);
    });
  }

  /** @param {Welcome} welcome */
  #welcome({ room, domain, token, events, more, fresh, frames, scripts = [] }) {
    const { store } = this.#options;
    const { thread, bell } = this.panel;
    this.#welcomed = true;
    store.session = { ...store.session, room: room.id, name: domain.name, ...(token && { token }) };
    this.#room = room;
    this.panel.title(domain.name);
    this.panel.may(frames);
    this.panel.answerer(room);
    if (fresh) {
      thread.reset(events, more);
      for (const item of this.#outbox.items) thread.pending(item);
      this.#seq = room.seq;
      this.unread.add(...events);
      this.look(this.#looking);
    }
    if (document.hidden) this.#tell("presence", { state: "away" });
    if (this.#looking) bell.resume();
    this.#options.scripts(scripts);
  }

  /** @param {RoomEvent} event */
  #event(event) {
    const { seq, type, author, data } = event;
    const told = this.panel.thread.add(event);
    this.#seq = seq;
    // Up to room.seq the welcome has told how the room stands.
    if (seq > this.#room.seq && (type === "takeover" || type === "handback")) {
      const live = type === "takeover";
      // The system takes a room when the domain's AI is switched off: nobody holds it.
      const holder = live && author.kind === "admin" ? author : null;
      this.#room = { id: this.#room.id, seq, epoch: data?.epoch, mode: live ? "live" : "ai", holder };
      this.panel.answerer(this.#room);
    }
    if (author.kind === "admin") this.panel.notice.set("away");
    if (told && (author.kind !== "visitor" || type !== "message")) this.panel.say(told);
    if (told) this.unread.add(event);
    if (type === "message") this.#options.message(event);
    this.look(this.#looking);
  }

  /** @param {import("../shared/protocol").StateChange} change */
  #state({ state, code, failure }) {
    const { t } = this.#options;
    const { notice, thread } = this.panel;
    clearTimeout(this.#patience);
    if (state === "online") {
      this.#downSince = 0;
      notice.set("final");
      notice.set("connection");
      return;
    }
    thread.growing.interrupt();
    if (state === "closed") {
      notice.set("connection");
      if (!code && !failure) return; // we closed it
      if (code === 4409) this.#final("elsewhere");
      else if (code === 1000 || failure?.code === "gone") this.#final("ended");
      else if (code === 4401 || code === 4403) notice.set("final", { text: t("revoked") });
      else this.#final("stopped", failure?.message);
      return;
    }
    this.#downSince ||= Date.now();
    const left = this.#downSince + PATIENCE_MS - Date.now();
    this.#patience = setTimeout(() => {
      const key = navigator.onLine ? "reconnecting" : "offline";
      notice.set("connection", { text: t(key) });
    }, left);
  }

  /**
   * The socket does not come back by itself: the visitor decides.
   * @param {"elsewhere" | "ended" | "stopped"} why
   */
  #final(why, text = this.#options.t(why)) {
    const next = { elsewhere: "elsewhere.use", ended: "ended.new", stopped: "stopped.again" }[why];
    const action = () => {
      this.panel.notice.set("final");
      this.#socket.close();
      if (why === "ended") {
        this.#forget();
        for (const { id } of this.#outbox.items) this.#outbox.drop(id);
        this.panel.thread.reset([], false);
      }
      this.#socket.open();
      this.panel.composer.field.area.focus();
    };
    this.panel.notice.set("final", { text, label: this.#options.t(next), action });
  }

  #forget() {
    this.#options.store.set("", null);
    this.unread.clear();
  }

  /** @param {string} text */
  #say(text) {
    this.panel.thread.pending(this.#outbox.add("message", { text }));
  }

  /**
   * Counts down what the server asked to wait.
   * @param {number} seconds
   */
  #slow(seconds) {
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const n = Math.ceil((until - Date.now()) / 1000);
      this.panel.notice.set("flood", n > 0 ? { text: this.#options.t("flood", { n }) } : undefined);
      if (n <= 0) clearInterval(this.#flood);
    };
    clearInterval(this.#flood);
    this.#flood = setInterval(tick, 1000);
    tick();
  }

  /** @param {"typing" | "presence"} type @param {any} data */
  #tell(type, data) {
    if (this.#socket.frames.includes(type)) this.#socket.send(type, data);
  }

  /**
   * Another tab wrote to the store.
   * @param {string} name
   */
  #shared(name) {
    if (name === "draft") this.panel.composer.sync();
    else if (name === "bell") this.panel.bell.sync();
    else if (name === "outbox") this.#outbox.sync();
    else if (name === "read") this.unread.sync();
    else if (!name) {
      const { room } = this.#options.store.session;
      if (!room || !this.#welcomed || room === this.#room.id) return;
      this.#socket.close();
      this.#socket.open();
    }
  }
}
