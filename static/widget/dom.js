/**
 * Makes an element. An attribute that is a function is a listener (onclick).
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
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** The icons: stroked paths on a grid of 24. */
const ICONS = {
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21.5h4M12 3v2",
  send: "M12 19.5V5M5.5 11.5 12 5l6.5 6.5",
  down: "m6 9.5 6 6 6-6",
  close: "m6.5 6.5 11 11m0-11-11 11",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const make = (/** @type {string} */ tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = make("svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = make("path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** So many characters before the limit they are counted. */
const NEAR = 100;

/**
 * A text field that grows with its text, and a line that counts near the limit
 * and says what is wrong. Characters are counted as the server does: code
 * points of the trimmed text.
 */
export class Field {
  area;
  line;
  #options;

  /**
   * @param {object} options
   * @param {import("./chat.js").Texts} options.t
   * @param {string} options.part names the field, and with "-line" the line
   * @param {number} options.most characters, the server's limit
   * @param {string} options.empty the key of what to say when nothing is there
   * @param {(text: string) => void} options.changed by the visitor
   * @param {Record<string, any>} options.attributes
   */
  constructor(options) {
    const { part, changed, attributes } = options;
    const id = `${part}-line`;
    this.#options = options;
    this.line = el("p", { part: id, id });
    this.area = el("textarea", { part, id: part, "aria-describedby": id, ...attributes });
    this.area.oninput = () => {
      this.fit();
      changed(this.area.value);
    };
  }

  get text() {
    return this.area.value.trim();
  }

  set text(text) {
    this.area.value = text;
    this.fit();
  }

  /** Sizes the field, which has no size while it is hidden, and counts. */
  fit() {
    const { style } = this.area;
    style.height = "auto";
    style.height = `${this.area.scrollHeight}px`;
    const left = this.#left();
    if (left < 0) this.check();
    else this.tell(left < NEAR ? this.#options.t("left", { n: left }) : "", "off");
  }

  /** Whether the text may be sent; if not the line says why. */
  check() {
    const { t, empty } = this.#options;
    const left = this.#left();
    if (this.text && left >= 0) return true;
    this.tell(left < 0 ? t("tooLong", { n: -left }) : t(empty), "polite", true);
    return false;
  }

  /**
   * @param {string} text
   * @param {"off" | "polite"} [live] a count is not read out at each key
   */
  tell(text, live = "polite", wrong = false) {
    this.line.setAttribute("aria-live", live);
    this.line.textContent = text;
    this.area.setAttribute("aria-invalid", String(wrong));
  }

  #left() {
    return this.#options.most - [...this.text].length;
  }
}
