/**
 * The element with an id, which the page is known to have.
 * @param {string} id
 */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * Makes an element. An attribute that is a function is a listener (onclick),
 * true is an empty attribute, and null or false is none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** The bell, on a grid of 24, as the server draws it. */
export function bell() {
  const make = (/** @type {string} */ tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = make("svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = make("path");
  path.setAttribute("d", "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21.5h4M12 3v2");
  svg.append(path);
  return svg;
}

/**
 * Says something to screen readers, once. What grows or counts on the screen
 * stays outside of live regions.
 * @param {string} text
 */
export function announce(text) {
  const line = el("p", {}, text);
  byId("announcer").append(line);
  // Long enough to be read to; then it must not be met again while browsing.
  setTimeout(() => line.remove(), 8000);
}
