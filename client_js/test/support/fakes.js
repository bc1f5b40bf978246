// A server, a network and a loudspeaker that do what a test says.

/** @typedef {import("../../src/wire/messages.js").ClientMessage} ClientMessage */

export const LIMITS = {
  ...{ max_message_bytes: 262_144, max_buffered_chars: 8000, max_pending_utterances: 4, max_controls_per_s: 20 },
  ...{ max_errors_per_10_s: 10, max_ahead_ms: 4000, stall_timeout_ms: 30_000, idle_timeout_ms: 120_000 },
  ...{ min_sample_rate: 8000, max_sample_rate: 48_000, formats: ["pcm"] },
};

export const CREATED = { type: "session.created", session_id: "sess_1", limits: LIMITS, voices: [{ id: "mika", name: "Mika" }] };

/** Sound of that length at 24 kHz, as it travels. @param {number} ms */
export const audio = (ms) => new Uint8Array(ms * 48);

/** Records what it is told, as short lines. */
export class FakePlayer {
  /** @type {string[]} */
  calls = [];
  ready = Promise.resolve();
  output = null;
  /** What it tells whoever made it, where that was kept. @type {(message: any) => void} */
  tell = () => {};

  /** @param {number} generation */
  begin(generation) {
    this.calls.push(`begin ${generation}`);
  }

  /** @param {number} generation @param {Int16Array} samples */
  push(generation, samples) {
    this.calls.push(`push ${generation} ${samples.length}`);
  }

  reach() {}

  /** @param {number} generation */
  rest(generation) {
    this.calls.push(`rest ${generation}`);
  }

  /** @param {number} generation */
  end(generation) {
    this.calls.push(`end ${generation}`);
  }

  /** @param {number} generation */
  clear(generation) {
    this.calls.push(`clear ${generation}`);
  }

  async resume() {}

  async close() {
    this.calls.push("close");
  }
}

/** A transport whose other end is the test. */
export class FakeTransport {
  /** @type {ClientMessage[]} */
  sent = [];
  isClosed = false;
  /** @type {import("../../src/wire/connection.js").TransportHandlers | undefined} */
  handlers;
  #greets;
  #fails;

  /** @param {{greets?: boolean, fails?: boolean}} [options] */
  constructor({ greets = true, fails = false } = {}) {
    this.#greets = greets;
    this.#fails = fails;
  }

  /** @param {import("../../src/wire/connection.js").TransportHandlers} handlers */
  async open(handlers) {
    this.handlers = handlers;
    if (this.#fails) throw new Error("no route to host");
    if (this.#greets) this.says(CREATED);
  }

  /** @param {string} data */
  send(data) {
    if (!this.isClosed) this.sent.push(JSON.parse(data));
  }

  close() {
    this.isClosed = true;
  }

  /** The server sends a message. @param {object} message */
  says(message) {
    this.handlers?.onMessage(JSON.stringify(message));
  }

  /** The connection ends. @param {number} [code] @param {string} [reason] */
  ends(code = 1006, reason = "") {
    this.handlers?.onClose({ code, reason });
  }

  /** Types of what was sent, texts with what they hold. */
  get lines() {
    return this.sent.map((message) => (message.type === "input.text" ? `input.text ${message.text}` : message.type));
  }
}
