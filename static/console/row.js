import { maybe, t } from "./words.js";

/**
 * A conversation as the socket summarises it.
 * @typedef {import("../shared/protocol").Room & {
 *   last: {text: string, kind: string, at: string},
 *   visitor: "online" | "away" | "offline",
 * }} Summary
 */

/** The states of an escalation that nobody has answered; the storage has the same list. */
const WAITING = new Set(["queued", "logged", "notified", "captured", "unreachable"]);

/** @param {Summary} room */
export const isWaiting = ({ escalation }) => !!escalation && WAITING.has(escalation.state);

/**
 * Writes a conversation into its row.
 * @param {HTMLElement} row
 * @param {Summary} room
 */
export function fill(row, room) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`[data-part="${name}"]`));
  const { id, ref, escalation, last, visitor } = room;
  row.dataset.room = id;
  row.dataset.at = last.at;
  row.classList.toggle("waiting", isWaiting(room));
  row.querySelector("a")?.setAttribute("href", `/console/rooms/${id}`);
  part("ref").textContent = ref;
  part("who").textContent = t(`said.${last.kind}`);
  part("text").textContent = last.text;
  part("mode").textContent = modeOf(room);
  part("bell").hidden = !escalation;
  if (escalation) part("bell").lastElementChild?.replaceChildren(maybe(`state.${escalation.state}`));
  part("online").hidden = visitor === "offline";
  part("online").dataset.state = visitor;
  part("online").firstElementChild?.replaceChildren(t(visitor));
  const time = document.createElement("time");
  time.dateTime = last.at;
  time.dataset.relative = "";
  part("at").replaceChildren(time);
}

/** @param {Summary} room */
function modeOf({ mode, holder }) {
  if (mode === "ai") return t("list.ai");
  return holder ? t("list.person", { name: holder.name || t("team") }) : t("list.nobody");
}

/**
 * Puts a row where it belongs: who waits comes first, then the newest.
 * @param {HTMLElement} rows
 * @param {HTMLElement} row
 */
export function place(rows, row) {
  const others = /** @type {HTMLElement[]} */ ([...rows.children].filter((other) => other !== row));
  const next = others.find((other) => rank(row) > rank(other)) ?? null;
  if (row.isConnected && (row.nextElementSibling === next)) return;
  const focus = row.contains(document.activeElement) ? document.activeElement : null;
  rows.insertBefore(row, next);
  // Moving an element takes its focus away.
  if (focus instanceof HTMLElement) focus.focus({ preventScroll: true });
}

/** @param {HTMLElement} row */
const rank = (row) => `${row.classList.contains("waiting") ? 1 : 0}${row.dataset.at ?? ""}`;
