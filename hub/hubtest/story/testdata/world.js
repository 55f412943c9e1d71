// A world for the stories of socket.js: time stands still until a story moves it,
// chance is what it says, and sockets lead to it. It is a frame's, so that the
// page around keeps its own.
const channel = new MessageChannel(); // a turn of the event loop, without a timer's 4 ms
export const settled = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });

let now = 0;
let chance = 0;
let shown = "visible";
let timers = new Map();
let ids = 0;

const later = (every) => (run, ms = 0) => (timers.set(++ids, { at: now + ms, every: every && ms, run }), ids);
const world = {
  setTimeout: later(false),
  setInterval: later(true),
  clearTimeout: (id) => timers.delete(id),
  clearInterval: (id) => timers.delete(id),
};

/** Lets time pass, and happen what is due. */
export async function pass(ms) {
  const end = now + ms;
  for (;;) {
    await settled();
    const due = [...timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
    if (!due) break;
    const [id, t] = due;
    now = Math.max(now, t.at);
    if (t.every) t.at = now + t.every;
    else timers.delete(id);
    t.run();
  }
  now = end;
  await settled();
}

/** The machine sleeps: time passes, and nothing happens until it wakes. */
export async function sleep(ms) {
  now += ms;
  for (const t of timers.values()) t.at = Math.max(t.at, now);
  await pass(0);
}

export class Line {
  static all = [];
  static get last() {
    return Line.all.at(-1);
  }
  sent = [];
  closed = false;
  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    Line.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  async opens() {
    this.onopen();
    await settled();
  }
  async says(type, data, id) {
    this.onmessage({ data: JSON.stringify({ type, id, data }) });
    await settled();
  }
  async ends(code, reason = "") {
    this.closed = true;
    this.onclose({ code, reason });
    await settled();
  }
  /** The newest frame of a type. */
  heard(type) {
    return this.sent.findLast((f) => f.type === type);
  }
  async answers(type, data, to = this.sent.at(-1)) {
    await this.says(type, data, to.id);
  }
}

/** The page is shown or hidden. */
export const look = (state) => {
  shown = state;
  document.dispatchEvent(new Event("visibilitychange"));
};

export const luck = (/** from 0 to 1 */ x) => (chance = x);
export const timersLeft = () => timers.size;

/** A world as new. */
export function begin() {
  Line.all = [];
  [now, chance, shown, timers] = [1e12, 0, "visible", new Map()];
}

Object.assign(window, world, { WebSocket: Line });
Math.random = () => chance;
Date.now = () => now;
Object.defineProperty(document, "visibilityState", { get: () => shown });
