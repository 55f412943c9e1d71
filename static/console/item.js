import { bell, el } from "./dom.js";
import { clock, day } from "./time.js";
import { maybe, t } from "./words.js";

/** @typedef {import("../shared/protocol").Author} Author */

const TOGETHER_MS = 5 * 60_000; // so soon after each other messages stand as one

/** @param {Author} author */
export const nameOf = ({ kind, name }) => name || t(kind === "visitor" ? "visitor" : kind === "ai" ? "ai" : "team");

/**
 * Something that was said. html is the server's: made of an AI's or an admin's
 * Markdown by its sanitiser; a visitor's words are never more than text.
 * @param {Author} author @param {string} name @param {string} text @param {Date} at @param {string} [html]
 */
export function message(author, name, text, at, html) {
  const bubble = el("div", { class: "bubble" });
  if (html && author.kind !== "visitor") bubble.innerHTML = html;
  else bubble.textContent = text;
  const head = el("header", {}, el("b", {}, name), " ", time(at));
  const node = el("article", { class: `item said from-${author.kind}`, "data-from": author.kind, "data-at": at.toISOString() }, head, bubble);
  node.dataset.author = author.id ?? author.kind;
  return node;
}

/**
 * What happened, in one line.
 * @param {string} text
 * @param {Date} at
 */
export function line(text, at) {
  return el("p", { class: "item line", "data-at": at.toISOString() }, text, " ", time(at));
}

/**
 * A visitor's call for a person, and how far it has got.
 * @param {import("../shared/protocol").RoomEvent} event
 * @param {string} state
 */
export function bellCard({ text, data = {}, at }, state) {
  const when = new Date(at);
  const head = data.again ? `${t("bell")} (${t("again")})` : t("bell");
  const card = el(
    "article",
    { class: "item bell-card", "data-escalation": data.escalation, "data-state": state, "data-at": when.toISOString() },
    bell(),
    el("header", {}, el("b", {}, head), " ", time(when)),
    el("blockquote", {}, text),
    el("p", { class: "badge bell", "data-part": "state" }, maybe(`state.${state}`)),
  );
  return card;
}

/** @param {Date} at */
function time(at) {
  return el("time", { datetime: at.toISOString() }, clock(at));
}

/**
 * Says the day where it changes, and joins what one person says in a row; of the item after it too.
 * @param {HTMLElement} node
 */
export function stamp(node) {
  for (const item of [node, node.nextElementSibling]) {
    if (!(item instanceof HTMLElement) || !item.dataset.at) continue;
    const before = item.previousElementSibling;
    const last = before instanceof HTMLElement && before.dataset.at ? before : null;
    const at = new Date(item.dataset.at);
    const then = last && new Date(last.dataset.at ?? "");
    if (!then || then.toDateString() !== at.toDateString()) item.dataset.day = day(at);
    else delete item.dataset.day;
    const same = !!item.dataset.author && last?.dataset.author === item.dataset.author && !item.dataset.day;
    item.classList.toggle("joined", same && !!then && at.getTime() - then.getTime() < TOGETHER_MS);
  }
}
