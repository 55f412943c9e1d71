import { Socket } from "../shared/socket.js";
import { announce, byId } from "./dom.js";
import { fill, isWaiting, place } from "./row.js";
import { refreshTimes } from "./time.js";
import { t } from "./words.js";

const list = byId("list");
const rows = byId("conversations");
const filter = list.dataset.filter;
const plainTitle = document.title.replace(/^\(\d+\)\s/, "");
let waiting = Number(list.dataset.waitingCount);

/** @param {number} count */
function showWaiting(count) {
  if (count > waiting) announce(`${count} ${t("waiting")}`);
  waiting = Math.max(0, count);
  document.title = waiting ? `(${waiting}) ${plainTitle}` : plainTitle;
  for (const badge of document.querySelectorAll("b[data-waiting]")) {
    if (!(badge instanceof HTMLElement) || !badge.firstChild) continue;
    badge.firstChild.textContent = String(waiting);
    badge.hidden = !waiting;
  }
}

/**
 * A conversation has moved on.
 * @param {import("./row.js").Summary} room
 */
function follow(room) {
  let row = /** @type {HTMLElement | null} */ (rows.querySelector(`[data-room="${CSS.escape(room.id)}"]`));
  const now = isWaiting(room);
  const before = !!row?.classList.contains("waiting");
  if (now !== before) showWaiting(waiting + (now ? 1 : -1));
  if (filter === "waiting" && !now) {
    row?.remove();
  } else {
    if (!row) {
      const template = /** @type {HTMLTemplateElement} */ (byId("row"));
      row = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
    }
    fill(row, room);
    place(rows, row);
  }
  byId("empty").hidden = rows.childElementCount > 0;
  refreshTimes();
}

/**
 * Reads a page of the list.
 * @param {string} address
 */
async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`list: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** After a lost connection: what was missed is in the page. */
async function reload() {
  const page = await load(location.href);
  const fresh = page.getElementById("conversations");
  if (!fresh) return location.reload(); // signed out meanwhile
  rows.replaceChildren(...fresh.children);
  byId("empty").hidden = rows.childElementCount > 0;
  showWaiting(Number(page.getElementById("list")?.dataset.waitingCount));
  refreshTimes();
}

const older = document.querySelector("a[data-older]");
if (older instanceof HTMLAnchorElement) {
  older.addEventListener("click", async (event) => {
    event.preventDefault();
    older.setAttribute("aria-busy", "true");
    const page = await load(older.href).catch(() => null);
    older.removeAttribute("aria-busy");
    if (!page) return location.assign(older.href);
    for (const row of page.querySelectorAll("#conversations > li")) {
      const known = rows.querySelector(`[data-room="${CSS.escape(row.getAttribute("data-room") ?? "")}"]`);
      if (!known) rows.append(row);
    }
    const next = page.querySelector("a[data-older]");
    if (next instanceof HTMLAnchorElement) older.href = next.href;
    else older.parentElement?.remove();
    refreshTimes();
  });
}

if (list.hasAttribute("data-live")) {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new Socket({ url: url.href, hello: () => ({ watch: list.dataset.domain }) });
  const status = /** @type {HTMLElement} */ (document.querySelector("[data-connection]"));
  socket.on("welcome", ({ fresh }) => void (fresh || reload().catch(() => {})));
  socket.on("room", follow);
  socket.on("state", ({ state, code }) => {
    const ended = code === 4403 ? "ended" : "signedOut";
    status.textContent = state === "waiting" ? t("reconnecting") : state === "closed" && code ? t(ended) : "";
    status.hidden = !status.textContent;
  });
  socket.open();
}
