// What every page of the console has: relative times, copy buttons, menus that
// close, and an address that does not repeat what the last form did.
import { closeMenusWhenLeft } from "./menus.js";
import { refreshTimes } from "./time.js";

const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  here.searchParams.delete("rule");
  history.replaceState(history.state, "", here);
}

refreshTimes();
setInterval(refreshTimes, 30_000);
closeMenusWhenLeft();

// Shown only where the browser lets a page write to the clipboard.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!(button instanceof HTMLButtonElement) || !navigator.clipboard) continue;
  const label = /** @type {HTMLElement} */ (button.querySelector("span"));
  const rest = label.textContent ?? "";
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy ?? "");
    await navigator.clipboard.writeText(source?.textContent ?? "");
    label.textContent = button.dataset.copied ?? "";
    setTimeout(() => (label.textContent = rest), 2000);
  });
}
