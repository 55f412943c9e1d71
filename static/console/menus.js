/**
 * Closes what opens over the page from its frame when one leaves it: by Tab, for
 * another page (coming back may show this one as it was), or for the place that
 * a wide screen has for it. A press beside it, and Escape, the browser sees to.
 */
export function closeMenusWhenLeft() {
  const menus = /** @type {NodeListOf<HTMLElement & { hidePopover(): void }>} */ (document.querySelectorAll(".side [popover]"));

  /** @param {Element} [on] what the focus is on now */
  const close = (on) => {
    for (const menu of menus) {
      const stays = on && (menu.contains(on) || on.getAttribute("popovertarget") === menu.id);
      if (!stays) menu.hidePopover();
    }
  };
  addEventListener("focusin", ({ target }) => close(/** @type {Element} */ (target)));
  addEventListener("pagehide", () => close());
  matchMedia("(max-width: 819px)").addEventListener("change", () => close());
}
