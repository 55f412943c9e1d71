/**
 * Asks the server, while the chat is open and the visitor says nothing, whether
 * a greeting is due; the server says when to ask again. See package welcome.
 * @param {import("../../../static/widget/chat.js").Chat} chat
 */
export default function (chat) {
  const OFFLINE_S = 5; // between two tries without a connection, which cost nobody anything
  const PAGE = 2000; // characters of a path that the server takes
  let opened = performance.now();
  let timer = 0;
  let held = false; // a greeting may be due, and the visitor writes
  let over = false; // somebody has spoken

  /** @param {number} seconds */
  const wait = (seconds) => {
    clearTimeout(timer);
    if (chat.opened && !over) timer = setTimeout(ask, seconds * 1000);
  };

  const ask = async () => {
    held = chat.draft !== "";
    if (held) return;
    try {
      const open = Math.round((performance.now() - opened) / 1000);
      const { after } = await chat.send("greeting", { page: location.pathname.slice(0, PAGE), open });
      if (after) wait(after);
    } catch (error) {
      // Whatever else it is, the visitor can do without a greeting.
      if (/** @type {{code?: string}} */ (error).code === "offline") wait(OFFLINE_S);
    }
  };

  const begin = () => {
    opened = performance.now();
    wait(0);
  };
  const end = () => {
    clearTimeout(timer);
    held = false;
  };
  chat.addEventListener("bellhub-open", begin);
  chat.addEventListener("bellhub-close", end);
  chat.addEventListener("bellhub-message", () => {
    over = true;
    end();
  });
  chat.addEventListener("input", () => held && wait(0));
  begin();
}
