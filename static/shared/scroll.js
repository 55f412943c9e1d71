const NEAR = 48; // pixels: so close to the end counts as being there

/**
 * Scrolls the thread: it follows what is new while the reader is at the end,
 * and otherwise leaves the reader alone and offers a way down.
 */
export class Scroll {
  #box;
  #pill;
  #pinned = true;
  #top = 0;
  #size = "";
  #older;
  #loading = false;

  /**
   * @param {HTMLElement} box what scrolls
   * @param {HTMLElement} inside what grows in it
   * @param {HTMLElement} pill the way down, which it shows and hides
   * @param {() => Promise<unknown> | undefined} older loads what came before
   */
  constructor(box, inside, pill, older) {
    this.#box = box;
    this.#older = older;
    this.#pill = pill;
    pill.hidden = true;
    pill.addEventListener("click", () => this.end(true));
    box.addEventListener("scroll", () => this.#moved(), { passive: true });
    const follow = new ResizeObserver(() => {
      if (this.#pinned) this.end();
      this.#moved();
    });
    follow.observe(box);
    follow.observe(inside);
  }

  /** Something came in at the end. */
  arrived() {
    if (!this.#pinned) this.#pill.hidden = false;
  }

  /** Goes to the end and stays there. */
  end(smooth = false) {
    this.#pinned = true;
    this.#pill.hidden = true;
    const still = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#box.scrollTo({ top: this.#box.scrollHeight, behavior: still ? "auto" : "smooth" });
  }

  /**
   * Runs a change above the reader without moving the text.
   * @param {() => void} change
   */
  hold(change) {
    const { scrollHeight, scrollTop } = this.#box;
    change();
    this.#box.scrollTop = scrollTop + this.#box.scrollHeight - scrollHeight;
  }

  async #moved() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    const size = `${scrollHeight} ${clientHeight}`;
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      this.#pinned = true;
      this.#pill.hidden = true;
    } else if (scrollTop < this.#top && size === this.#size) {
      // Only the reader moves up; a smooth scroll on its way is no reader, nor
      // is a browser that finds the text's place in a window of another size.
      this.#pinned = false;
    }
    this.#top = scrollTop;
    this.#size = size;
    if (scrollTop < 2 * NEAR && clientHeight && !this.#loading) {
      this.#loading = true;
      await this.#older();
      this.#loading = false;
    }
  }
}
