import { lang } from "./words.js";

const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
const clockFormat = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", year: "numeric" });
const fullFormat = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "long" });

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * As in "5 min. ago"; a date once that says more.
 * @param {Date} at
 */
export function ago(at) {
  const seconds = Math.max(0, (Date.now() - at.getTime()) / 1000);
  if (seconds < MINUTE) return relative.format(0, "second");
  if (seconds < HOUR) return relative.format(-Math.floor(seconds / MINUTE), "minute");
  if (seconds < DAY) return relative.format(-Math.floor(seconds / HOUR), "hour");
  if (seconds < 7 * DAY) return relative.format(-Math.floor(seconds / DAY), "day");
  return dateFormat.format(at);
}

/** @param {Date} at */
export const clock = (at) => clockFormat.format(at);

/** @param {Date} at */
export const day = (at) => dayFormat.format(at);

const localFormat = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

/** Writes the times of the page anew, in the reader's zone; the title has them whole. */
export function refreshTimes() {
  for (const node of document.querySelectorAll("time[data-local]")) {
    if (node instanceof HTMLTimeElement && node.dateTime) node.textContent = localFormat.format(new Date(node.dateTime));
  }
  for (const node of document.querySelectorAll("time[data-relative]")) {
    if (!(node instanceof HTMLTimeElement) || !node.dateTime) continue;
    const at = new Date(node.dateTime);
    node.textContent = ago(at);
    node.title = fullFormat.format(at);
  }
}
