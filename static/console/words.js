/** @type {Record<string, string>} */
const words = JSON.parse(document.body.dataset.words || "{}");

/** The page's language, which the server chose. */
export const lang = document.documentElement.lang;

/**
 * A text of the page's language; the server's key is "console.live." and this.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, String(value));
  return text;
}

/**
 * The text, or "" where there is none: states may be a plugin's own.
 * @param {string} key
 */
export const maybe = (key) => words[key] ?? "";
