// One request to speak: its text, how much of it was sent, what came back, and the promise of its end.

import { Timeline } from "./timeline.js";

/**
 * @typedef {object} DoneEvent the one end of an utterance
 * @property {"done"} type
 * @property {number} utterance
 * @property {import("./wire/messages.js").DoneStatus} status
 * @property {string} heard written text that was heard, as far as word times tell
 * @property {number} playedMs
 * @property {import("./errors.js").VoiceError | null} error why it failed
 */

export class Utterance {
  /** Text not yet sent. */
  unsent = "";
  /** Characters sent that no sentence has answered yet; a server bounds them. */
  unspoken = 0;
  ended = false;
  endSent = false;
  cancelling = false;
  started = false;
  /** Index the server gave it; null before its first message. */
  serverIndex = /** @type {number | null} */ (null);
  rateHz = 0;
  /** The sentence whose sound comes next. */
  announced = /** @type {Extract<import("./wire/messages.js").ServerMessage, {type: "audio.start"}> | null} */ (null);
  receivedMs = 0;
  playedMs = 0;
  /** What the server says was heard; null where it said nothing. */
  heard = /** @type {string | null} */ (null);
  /** @type {import("./wire/messages.js").DoneStatus} */
  status = "completed";
  /** @type {import("./errors.js").VoiceError | null} */
  error = null;
  /** @type {(event: DoneEvent) => void} */
  #resolve = () => {};

  /** @param {number} id counts up from 0; also the generation of its sound @param {number} nowMs */
  constructor(id, nowMs) {
    this.id = id;
    this.writtenAtMs = nowMs;
    this.timeline = new Timeline(id);
    /** @type {Promise<DoneEvent>} never rejects: look at `status` */
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** @param {string} delta */
  write(delta) {
    this.unsent += delta;
    this.timeline.addText(delta);
  }

  /** Text that may be sent now. @param {number} limit characters that may stand unspoken at the server */
  takeText(limit) {
    const text = this.unsent.slice(0, Math.max(0, limit - this.unspoken));
    this.unsent = this.unsent.slice(text.length);
    this.unspoken += text.length;
    return text;
  }

  /** @returns {DoneEvent} */
  finish() {
    const heard = this.heard ?? this.timeline.heardText;
    /** @type {DoneEvent} */
    const event = { type: "done", utterance: this.id, status: this.status, heard, playedMs: this.playedMs, error: this.error };
    this.#resolve(event);
    return event;
  }
}
