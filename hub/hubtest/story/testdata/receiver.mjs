// A receiver of webhooks as somebody without our code writes one: Node's own http
// and crypto, and what standardwebhooks.com says.
//
//   node receiver.mjs PORT FILE    with the secrets, separated by spaces, in SECRETS
//
// It writes a line of JSON to FILE for each request, flushed before it answers,
// and says on standard output when it listens.
import { createHmac, timingSafeEqual } from "node:crypto";
import { fsyncSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";

const [port, file] = process.argv.slice(2);
const keys = process.env.SECRETS.split(" ").map((s) => Buffer.from(s.replace(/^whsec_/, ""), "base64"));
const out = openSync(file, "a");
const tolerance = 5 * 60; // seconds

/** Why a request is not from who has the secret, or nothing. */
function fault(headers, body) {
  const id = headers["webhook-id"];
  const at = Number(headers["webhook-timestamp"]);
  if (!id || !Number.isInteger(at)) return "headers";
  if (Math.abs(Date.now() / 1000 - at) > tolerance) return "stale";
  const given = (headers["webhook-signature"] ?? "").split(" ").map((s) => s.split(","));
  for (const key of keys) {
    const want = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest();
    for (const [version, signature] of given) {
      const got = Buffer.from(signature ?? "", "base64");
      if (version === "v1" && got.length === want.length && timingSafeEqual(got, want)) return;
    }
  }
  return "signature";
}

/** What is to become of a visitor's message. */
function decide(text) {
  if (text.includes("forbidden")) return { action: "veto", message: "The receiver says no." };
  if (text.includes("4111")) return { action: "rewrite", text: text.replaceAll("4111", "****") };
  return { action: "allow" };
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const wrong = fault(request.headers, body);
    const message = wrong ? {} : JSON.parse(body);
    const line = {
      fault: wrong ?? "",
      id: request.headers["webhook-id"] ?? "",
      signatures: (request.headers["webhook-signature"] ?? "").split(" ").length,
      type: message.type ?? "",
      room: message.data?.room?.id ?? "",
      seq: message.data?.event?.seq ?? 0,
      text: message.data?.event?.text ?? "",
    };
    writeSync(out, JSON.stringify(line) + "\n");
    fsyncSync(out);
    if (wrong) response.writeHead(401).end();
    else if (message.type === "message.pending") response.end(JSON.stringify(decide(message.data.message.text)));
    else response.end("thank you");
  });
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
