/**
 * Tells the team which page the chat is open on. Where it is not told, nobody
 * misses anything, so a failure is not shown.
 * @param {import("../../../static/widget/chat.js").Chat} chat
 */
export default function (chat) {
  const tell = () => chat.send("example-page", { url: location.href, title: document.title }).catch(() => {});
  chat.addEventListener("bellhub-open", tell); // a page may change without being loaded anew
  tell();
}
