import { Outbox } from "../shared/outbox.js";
import { clientId, Socket } from "../shared/socket.js";
import { Composer } from "./composer.js";
import { announce, byId, el } from "./dom.js";
import { Mode } from "./mode.js";
import { Thread } from "./thread.js";
import { t } from "./words.js";

/** @typedef {import("../shared/protocol").Room} Room */
/** @typedef {import("../shared/protocol").Author} Author */

const page = byId("room");
const id = page.dataset.room ?? "";
const url = new URL("/ws", location.href);
url.protocol = url.protocol.replace("http", "ws");

/**
 * The room as the log has it so far.
 * @type {Room | null}
 */
let room = null;
/** @type {Author} */
let you = { kind: "admin" };
let unread = 0;
const title = document.title;

const socket = new Socket({ url: url.href, hello: () => ({ room: id }) });
const thread = new Thread({
  you: () => you,
  older: (before) => socket.history({ before }),
  retry: (item) => {
    outbox.retry(item);
    thread.drop(item);
    for (const waiting of outbox.items) thread.pending(waiting);
  },
  drop: (item) => {
    outbox.drop(item);
    thread.drop(item);
  },
});
/** @type {Outbox} */
const outbox = new Outbox(socket, {
  sent: (item, { seq }) => thread.sent(item.id, seq),
  failed: (item, failure) => {
    thread.pending(item);
    announce(`${t("failed")} ${failure.message}`);
  },
  slowed: (seconds) => composer.tell(t("slow", { n: seconds })),
});
/** @type {Composer} */
const composer = new Composer({
  room: id,
  most: Number(page.dataset.max) || Infinity,
  send: (text) => thread.pending(outbox.add("message", { text })),
  typing: (on) => socket.send("typing", { on }),
});
const mode = new Mode({
  ai: page.dataset.ai === "true",
  // The log knows a hand-over by its id for good, so each gets one of its own.
  ask: (type, data) => socket.request(type, data, clientId()),
  again: () => {
    // Our count of the epoch was wrong: read the room anew.
    socket.close();
    socket.open();
  },
});

/** Draws what the room's state allows. */
function show() {
  const online = socket.state === "online";
  if (!room) return;
  mode.show(room, you, online && socket.frames);
  const { holder } = room;
  const held = room.mode === "live" && holder?.id && holder.id !== you.id;
  composer.lock(held ? t("locked", { name: holder.name || t("team") }) : online ? "" : t("lockedOffline"), !held);
}

/**
 * What an event changes in the room, as the server's own rule has it.
 * @param {import("../shared/protocol").RoomEvent} event
 */
function advance({ type, author, seq, data }) {
  if (!room) return;
  room.seq = seq;
  // The system takes a room when the domain's AI is switched off: nobody holds it.
  const holder = author.kind === "admin" ? author : null;
  if (type === "takeover") room = { ...room, mode: "live", holder, epoch: data?.epoch };
  if (type === "handback") room = { ...room, mode: "ai", holder: null, epoch: data?.epoch };
}

function tellPresence() {
  socket.send("presence", { state: document.hidden ? "away" : "online" });
}

socket.on("welcome", (welcome) => {
  you = welcome.you;
  if (welcome.fresh) {
    room = welcome.room;
    thread.reset(welcome.events, welcome.more);
    for (const item of outbox.items) thread.pending(item);
  }
  if (document.hidden) tellPresence();
  show();
});

socket.on("event", (event) => {
  advance(event);
  const told = thread.add(event);
  const mine = event.author.kind === "admin" && event.author.id === you.id;
  if (told && !mine) announce(told);
  if (document.hidden && event.author.kind === "visitor") document.title = `(${++unread}) ${title}`;
  show();
});

socket.on("stream", (frame) => thread.stream(frame));
socket.on("typing", ({ author, on }) => thread.typing(author, on));

socket.on("presence", ({ visitor, admins }) => {
  for (const node of document.querySelectorAll("[data-presence]")) {
    node.textContent = t(visitor);
    node.setAttribute("data-presence", visitor);
  }
  const names = admins.map((/** @type {Author} */ a) => (a.id === you.id ? t("you") : a.name || t("team")));
  document.querySelector("[data-admins]")?.replaceChildren(names.join(", "));
});

socket.on("state", ({ state, code, failure }) => {
  if (state === "waiting") thread.interrupt();
  if (state === "closed" && (code || failure)) return end(code, failure?.code);
  if (room) show();
  if (state === "waiting") mode.say(t("reconnecting"));
});

/**
 * The connection is over for good: say why, and what can be done.
 * @param {number} code
 * @param {string} [failure]
 */
function end(code, failure) {
  thread.interrupt();
  composer.lock("", false);
  if (code === 4403 || failure === "not_found" || failure === "gone") {
    mode.end(t("ended"));
  } else if (code === 4401 || code === 1008) {
    mode.end(t("signedOut"), el("a", { class: "button", href: "/console/sign-in" }, t("signInAgain")));
  } else {
    mode.end(t("stopped"), el("button", { type: "button", onclick: () => location.reload() }, t("reload")));
  }
}

document.addEventListener("visibilitychange", () => {
  tellPresence();
  if (document.hidden) return;
  unread = 0;
  document.title = title;
});

socket.open();
