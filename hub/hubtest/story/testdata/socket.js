// What static/shared/socket.js and outbox.js do, as stories: each has a name and
// a world of its own (world.js), and the page around learns how it ended.
import { Outbox } from "/shared/outbox.js";
import { Socket } from "/shared/socket.js";
import { begin, Line, look, luck, pass, settled, sleep, timersLeft } from "/world.js";

const event = (seq) => ({ seq, type: "message", author: { kind: "ai" }, text: `${seq}`, at: "" });
const events = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i));
const welcome = (seq, more = {}) => ({ room: { id: "r", seq }, you: {}, domain: { name: "" }, events: [], more: false, frames: ["message"], ...more });

/** A socket and what it told. */
function client(options = {}) {
  const told = { events: [], states: [], welcomes: [] };
  const session = { token: "t", room: "r" };
  const socket = new Socket({
    url: "ws://server/ws",
    probe: true,
    hello: () => ({ domain: "d", ...session }),
    forget: () => {
      delete session.token;
      delete session.room;
    },
    ...options,
  });
  socket.on("event", ({ seq }) => told.events.push(seq));
  socket.on("state", ({ state, code }) => told.states.push(code ? `${state} ${code}` : state));
  socket.on("welcome", (w) => told.welcomes.push(w.fresh));
  open.push(socket);
  return { socket, told, session };
}
let open = [];

/** A client that is welcomed in a room at a number. */
async function online(seq = 3, options = {}) {
  const c = client(options);
  c.socket.open();
  await welcomed(seq, { events: events(1, seq) });
  return c;
}

async function welcomed(seq, more) {
  await Line.last.opens();
  await Line.last.answers("welcome", welcome(seq, more));
}

function same(what, got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`${what}: got ${g}, want ${w}`);
}

const stories = {
  async "a first hello names no cursor, and the next one does"() {
    const c = await online(3);
    same("protocol", Line.last.protocols, ["bellhub.v1"]);
    same("hello", Line.last.heard("hello").data, { domain: "d", token: "t", room: "r" });
    await Line.last.ends(1006);
    await pass(1000);
    await Line.last.opens();
    same("hello", Line.last.heard("hello").data, { domain: "d", token: "t", room: "r", after: 3 });
    await Line.last.answers("welcome", welcome(5, { events: events(4, 5) }));
    same("events", c.told.events, [4, 5]);
    same("fresh", c.told.welcomes, [true, false]);
  },

  async "what comes while an empty room is entered is shown"() {
    const c = client();
    c.socket.open();
    await welcomed(1, { events: [] }); // the room grew after its events were read
    await Line.last.says("event", event(1));
    same("events", c.told.events, [1]);
  },

  async "who sends something does not wait for the backoff, but for a flood's delay"() {
    for (const [code, lines] of [[1006, 1], [4429, 0]]) {
      const c = await online(1);
      const box = new Outbox(c.socket, { sent: () => {}, failed: () => {} });
      luck(0.999999);
      await Line.last.ends(code);
      const before = Line.all.length;
      box.add("message", { text: "hello?" });
      box.add("message", { text: "anybody?" });
      await settled();
      same(`lines after ${code}`, Line.all.length - before, lines);
      c.socket.close();
    }
  },

  async "which closes permit a return, and when"() {
    for (const [code, first, most] of [
      [1001, 500, 1000], [1006, 500, 1000], [1011, 500, 1000], [1013, 500, 1000], [4408, 500, 1000],
      [1012, 0, 10_000], [4429, 10_500, 11_000],
    ]) {
      for (const chance of [0, 0.999999]) {
        const c = await online(1);
        const lines = Line.all.length;
        luck(chance);
        await Line.last.ends(code);
        same(`state after ${code}`, c.told.states.at(-1), `waiting ${code}`);
        const wait = chance ? most : first;
        await pass(wait - 2);
        same(`lines ${wait - 2} ms after ${code}`, Line.all.length - lines, 0);
        await pass(3);
        same(`lines ${wait + 1} ms after ${code}`, Line.all.length - lines, 1);
        c.socket.close();
      }
    }
    for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 4403, 4409]) {
      const c = await online(1);
      const lines = Line.all.length;
      await Line.last.ends(code);
      await pass(3_600_000);
      look("visible");
      dispatchEvent(new Event("online"));
      await pass(60_000);
      same(`after ${code}`, [c.told.states.at(-1), Line.all.length - lines], [`closed ${code}`, 0]);
      c.socket.close();
    }
  },

  async "each try waits longer, up to 30 s, until one has held for 10 s"() {
    const c = await online(1);
    luck(0.999999);
    const waits = [];
    for (let i = 0; i < 9; i++) {
      const lines = Line.all.length;
      await Line.last.ends(1006);
      const left = Date.now();
      while (Line.all.length === lines) await pass(100);
      waits.push(Math.round((Date.now() - left) / 500) * 500);
    }
    same("waits", waits, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000]);
    await welcomed(1);
    await pass(11_000);
    await Line.last.ends(1006);
    const lines = Line.all.length;
    await pass(1001);
    same("lines after a steady connection", Line.all.length - lines, 1);
    same("nothing was lost", c.told.events, []);
  },

  async "a server that does not answer the hello is given up"() {
    const c = client();
    c.socket.open();
    await Line.last.opens();
    await pass(15_000);
    same("state", [c.told.states.at(-1), Line.last.closed], ["waiting 1006", true]);
  },

  async "4401 forgets token and room, and says hello once anew"() {
    const c = client();
    c.socket.open();
    await Line.last.opens();
    await Line.last.ends(4401);
    await Line.last.opens();
    same("lines", Line.all.length, 2);
    same("hello", Line.last.heard("hello").data, { domain: "d" });
    await Line.last.ends(4401);
    await pass(60_000);
    same("after a second one", [c.told.states.at(-1), Line.all.length], ["closed 4401", 2]);
  },

  async "an admin has nothing to forget"() {
    const c = await online(1, { forget: undefined });
    await Line.last.ends(4401);
    same("state", c.told.states.at(-1), "closed 4401");
  },

  async "a flood's penalty is not shortened by looking"() {
    await online(1);
    await Line.last.ends(4429, "wait 20 s");
    look("visible");
    dispatchEvent(new Event("online"));
    await pass(20_000);
    same("lines", Line.all.length, 1);
    await pass(600);
    same("lines", Line.all.length, 2);
  },

  async "shown again, or with the network back, it returns at once"() {
    for (const back of [() => look("visible"), () => dispatchEvent(new Event("online"))]) {
      const c = await online(1);
      const lines = Line.all.length;
      luck(0.9);
      await Line.last.ends(1012);
      await pass(100);
      back();
      same("lines", Line.all.length - lines, 1);
      c.socket.close();
    }
  },

  async "doubles are dropped, and a gap is filled before what is beyond it"() {
    const c = await online(3);
    await Line.last.says("event", event(4));
    await Line.last.says("event", event(4));
    await Line.last.says("event", event(2));
    same("asked", Line.last.heard("history"), undefined);
    await Line.last.says("event", event(7));
    await Line.last.says("event", event(8));
    same("before the gap", c.told.events, [4]);
    same("asked", Line.last.heard("history").data, { limit: 100, after: 4 });
    await Line.last.answers("history", { events: events(5, 6), more: true });
    same("all", c.told.events, [4, 5, 6, 7, 8]);
    same("asked on", Line.last.heard("history").data, { limit: 100, after: 8 });
    await Line.last.answers("history", { events: [], more: false });
    same("asked", Line.last.sent.filter((f) => f.type === "history").length, 2);
  },

  async "what a welcome could not hold is fetched page by page"() {
    const c = await online(1);
    await Line.last.ends(1006);
    await pass(1000);
    await welcomed(600, { events: events(2, 300), more: true });
    await Line.last.says("event", event(601));
    await Line.last.answers("history", { events: events(301, 400), more: true }, Line.last.heard("history"));
    await Line.last.answers("history", { events: events(401, 600), more: false }, Line.last.heard("history"));
    same("events", [c.told.events.length, c.told.events.every((seq, i) => seq === i + 2)], [600, true]);
  },

  async "resync begins anew"() {
    const c = await online(3);
    await Line.last.ends(1006);
    await pass(1000);
    await Line.last.opens();
    await Line.last.answers("error", { code: "resync", message: "", retryable: false });
    same("a second hello on the same line", Line.last.heard("hello").data, { domain: "d", token: "t", room: "r" });
    await Line.last.answers("welcome", welcome(2, { events: events(1, 2) }));
    same("fresh", c.told.welcomes, [true, true]);
    await Line.last.says("event", event(3));
    same("events", c.told.events, [3]);
    await Line.last.says("error", { code: "resync", message: "", retryable: false });
    await pass(1000);
    await Line.last.opens();
    same("hello after a resync amid things", Line.last.heard("hello").data.after, undefined);
  },

  async "a silent line is asked, and given up when it does not answer"() {
    const c = await online(3);
    await pass(40_000);
    same("asked too early", Line.last.heard("history"), undefined);
    await pass(22_000);
    same("asked", Line.last.heard("history").data, { limit: 100, after: 3 });
    await Line.last.answers("history", { events: [event(4)], more: false });
    same("and told", c.told.events, [4]);
    await pass(60_000);
    same("asked again", [Line.last.sent.filter((f) => f.type === "history").length, c.told.states.at(-1)], [2, "online"]);
    await pass(5000);
    same("given up", Line.all[0].closed, true);
    await pass(1000);
    same("and back", Line.all.length, 2);
  },

  async "an admin's silent line is left alone"() {
    await online(3, { probe: false });
    await pass(3_600_000);
    same("said", Line.last.sent.map((f) => f.type), ["hello"]);
  },

  async "after a day's sleep the first look brings a new line"() {
    const c = await online(3);
    await sleep(86_400_000);
    same("lines", [Line.all.length, Line.all[0].closed], [2, true]);
    await Line.all[0].says("event", event(4)); // what the old one still held
    same("heard of the old line", c.told.events, []);
    await welcomed(9, { events: events(4, 9) });
    same("events", c.told.events, [4, 5, 6, 7, 8, 9]);
  },

  async "a tab shown again asks for news at once"() {
    const c = await online(3);
    look("hidden");
    await pass(30_000);
    look("visible");
    same("asked", Line.last.heard("history").data, { limit: 100, after: 3 });
    await Line.last.answers("history", { events: [event(4)], more: false });
    same("events", c.told.events, [4]);
  },

  async "a hello that may be said again later is"() {
    const c = client();
    c.socket.open();
    await Line.last.opens();
    await Line.last.answers("error", { code: "unavailable", message: "", retryable: true, retry_after: 3 });
    same("state", c.told.states.at(-1), "waiting 1013");
    await pass(3400);
    same("lines", Line.all.length, 1);
    await pass(700);
    same("lines", Line.all.length, 2);
  },

  async "what was written offline goes out once, in order, with its own ids"() {
    const c = await online(1);
    const sent = [];
    const box = new Outbox(c.socket, { sent: (item, { seq }) => sent.push([item.data, seq]), failed: () => {} });
    box.add("message", "one");
    await settled();
    const first = Line.last.heard("message").id;
    await Line.last.ends(1006); // stored or not, nobody knows
    box.add("message", "two");
    await pass(1000);
    await welcomed(2, { events: [event(2)] });
    same("again, with the same id", Line.last.sent.filter((f) => f.type === "message").map((f) => [f.data, f.id === first]), [["one", true]]);
    await Line.last.answers("ack", { seq: 2 }, Line.last.heard("message"));
    same("then the next", Line.last.heard("message").data, "two");
    await Line.last.answers("ack", { seq: 3 }, Line.last.heard("message"));
    same("sent", [sent, box.items.length], [[["one", 2], ["two", 3]], 0]);
  },

  async "what is sent too fast waits as long as it is told to"() {
    const c = await online(1);
    const slowed = [];
    const box = new Outbox(c.socket, { sent: () => {}, failed: () => {}, slowed: (s) => slowed.push(s) });
    box.add("message", "one");
    await settled();
    await Line.last.answers("error", { code: "rate_limited", message: "", retryable: true, retry_after: 2 });
    await pass(1900);
    same("said", Line.last.sent.filter((f) => f.type === "message").length, 1);
    await pass(200);
    same("said", [Line.last.sent.filter((f) => f.type === "message").length, slowed], [2, [2]]);
  },
};

const results = {};
for (const [name, story] of Object.entries(stories)) {
  begin();
  open = [];
  try {
    await story();
    results[name] = "";
  } catch (error) {
    results[name] = error.stack;
  }
  for (const socket of open) socket.close();
  if (timersLeft()) results[name] ||= `${timersLeft()} timers are left after close()`;
}
parent.results = results;
