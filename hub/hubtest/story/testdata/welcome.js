// The script of the plugin welcome against a chat, a clock and a server that
// belong to the test. `module` is its address; the result is what went wrong in
// each story, "" for nothing.
globalThis.tell = async (module) => {
  const { default: greeter } = await import(module);
  const real = { setTimeout, clearTimeout, now: performance.now };
  const here = location.href;

  /** A chat that notes what it is asked to send, and answers what it is told to. */
  class Chat extends EventTarget {
    opened = true;
    draft = "";
    sent = [];
    answers = [];
    async send(type, data) {
      this.sent.push({ at: clock, type, ...data });
      const answer = this.answers.shift() ?? {};
      if (answer.code) throw Object.assign(new Error(), answer);
      return answer;
    }
    tell(name) {
      this.dispatchEvent(new Event(name));
    }
  }

  let clock = 0; // milliseconds
  let timers = [];
  /** Lets time pass, and what comes of it. */
  const pass = async (seconds) => {
    const until = clock + seconds * 1000;
    for (;;) {
      for (let i = 0; i < 10; i++) await null;
      timers.sort((a, b) => a.at - b.at);
      if (!timers.length || timers[0].at > until) break;
      const { at, fn } = timers.shift();
      clock = at;
      fn();
    }
    clock = until;
  };
  /** What was asked so far, as "second: page, open". */
  const asked = (chat) => chat.sent.map(({ at, page, open }) => `${at / 1000}: ${page}, ${open}`);

  const stories = {
    async "it asks at once, and when it is told to, on the page of that moment"(chat) {
      chat.answers = [{ after: 10 }, { after: 20 }, {}];
      greeter(chat);
      await pass(1);
      history.pushState(null, "", "/demo/kopi%20susu?token=secret#hash");
      await pass(100);
      return [asked(chat), ["0: /demo, 0", "10: /demo/kopi%20susu, 10", "30: /demo/kopi%20susu, 30"]];
    },
    async "it stops when the chat is closed, and begins anew when it is opened"(chat) {
      chat.answers = [{ after: 10 }, { after: 10 }, {}];
      greeter(chat);
      await pass(5);
      chat.opened = false;
      chat.tell("bellhub-close");
      await pass(60);
      chat.opened = true;
      chat.tell("bellhub-open");
      await pass(60);
      return [asked(chat), ["0: /demo, 0", "65: /demo, 0", "75: /demo, 10"]];
    },
    async "an answer that comes to a closed chat starts nothing"(chat) {
      chat.answers = [{ after: 10 }];
      greeter(chat);
      for (const timer of timers.splice(0)) timer.fn();
      chat.opened = false;
      chat.tell("bellhub-close");
      await pass(60);
      return [asked(chat), ["0: /demo, 0"]];
    },
    async "it is called when the chat is closed already"(chat) {
      chat.opened = false;
      greeter(chat);
      await pass(60);
      return [asked(chat), []];
    },
    async "it stops for good when anybody speaks"(chat) {
      chat.answers = [{ after: 10 }];
      greeter(chat);
      await pass(5);
      chat.tell("bellhub-message");
      chat.tell("bellhub-close");
      chat.tell("bellhub-open");
      await pass(60);
      return [asked(chat), ["0: /demo, 0"]];
    },
    async "it holds while the visitor writes"(chat) {
      chat.answers = [{ after: 10 }, {}];
      greeter(chat);
      await pass(5);
      chat.draft = "I";
      chat.tell("input");
      await pass(30);
      chat.draft = "";
      chat.tell("input");
      chat.tell("input");
      await pass(30);
      return [asked(chat), ["0: /demo, 0", "35: /demo, 35"]];
    },
    async "without a connection it tries again"(chat) {
      chat.answers = [{ code: "offline" }, { code: "offline" }, { after: 10 }, {}];
      greeter(chat);
      await pass(60);
      return [asked(chat), ["0: /demo, 0", "5: /demo, 5", "10: /demo, 10", "20: /demo, 20"]];
    },
    async "refused, it leaves it at that"(chat) {
      chat.answers = [{ code: "unavailable" }];
      greeter(chat);
      await pass(60);
      return [asked(chat), ["0: /demo, 0"]];
    },
    async "a path without end is cut"(chat) {
      history.replaceState(null, "", "/" + "x".repeat(5000));
      greeter(chat);
      await pass(1);
      return [[chat.sent[0].page.length], [2000]];
    },
  };

  const results = {};
  for (const [name, story] of Object.entries(stories)) {
    clock = 0;
    timers = [];
    globalThis.setTimeout = (fn, ms) => timers.push({ id: ++pass.ids, at: clock + ms, fn }) && pass.ids;
    globalThis.clearTimeout = (id) => (timers = timers.filter((timer) => timer.id !== id));
    pass.ids = 0;
    performance.now = () => clock;
    const [got, want] = (await story(new Chat())).map((list) => list.join(" | "));
    results[name] = got === want ? "" : `asked ${got}, want ${want}`;
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    performance.now = real.now;
    history.replaceState(null, "", here);
  }
  return results;
};
