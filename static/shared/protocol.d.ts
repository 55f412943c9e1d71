// The frames of bellhub.v1 as a client meets them. Types only: no browser
// fetches this file. The server's protocol description is the authority.

export interface Author {
  kind: "visitor" | "ai" | "admin" | "system";
  id?: string;
  name?: string;
}

/** One entry of a room's log. `seq` grows by one from 1 in each room. */
export interface RoomEvent {
  seq: number;
  type: "message" | "escalation" | "takeover" | "handback" | "notice";
  author: Author;
  text: string;
  /** Only of `ai` and `admin`, and sanitised by the server. */
  html?: string;
  data?: Record<string, any>;
  at: string;
}

export interface Room {
  id: string;
  ref: string;
  mode: "ai" | "live";
  holder: Author | null;
  epoch: number;
  seq: number;
  escalation: { id: string; state: string } | null;
}

export interface Welcome {
  room: Room;
  you: Author;
  domain: { name: string };
  /** The newest page, when fresh; what was missed comes as `event` signals. */
  events: RoomEvent[];
  /** Older events exist, when fresh. */
  more: boolean;
  token?: string;
  /** What this member may send. */
  frames: string[];
  /** Paths of plugins' scripts, for the widget. */
  scripts?: string[];
  /** Draw the room anew; otherwise go on where the connection broke. */
  fresh: boolean;
}

export interface Page {
  events: RoomEvent[];
  more: boolean;
}

export interface Stream {
  turn: string;
  epoch: number;
  /** What was added since the turn's last frame. */
  text: string;
}

/**
 * connecting: on the way. online: welcomed. waiting: will try again by itself.
 * closed: will not, until open() is called.
 */
export type State = "connecting" | "online" | "waiting" | "closed";

export interface StateChange {
  state: State;
  /** The close code that led here, 0 if none did. */
  code: number;
  /** The server's answer to hello, where that was an error. */
  failure?: { code: string; message: string };
}

/** What `socket.on` listens to. Plugins' own frames arrive under their type, or as "frame". */
export interface Signals {
  state: StateChange;
  welcome: Welcome;
  event: RoomEvent;
  stream: Stream;
  typing: { author: Author; on: boolean };
  presence: any;
  room: any;
  frame: { type: string; data: any };
  [frame: string]: any;
}

/** A frame that stays in the outbox until the server has acknowledged it. */
export interface Pending {
  id: string;
  type: string;
  data: any;
  /** When it was written, in Unix milliseconds. */
  at: number;
  /** Why the server refused it; it is not sent again until retried. */
  error?: string;
}

export interface Ack {
  seq: number;
  at?: string;
  [more: string]: any;
}
