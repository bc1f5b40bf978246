// What the assistant says: its replies on their way to the ear, and what was heard of those that were cut.
//
// No page, no sound, no connection: those are ports. Who has the floor is not decided here. Used by conversation.js.

import { Reply } from "./reply.js";
import { fromBase64, PcmDecoder } from "./sound/pcm.js";
import { REALTIME_RATE_HZ } from "./wire/realtime_events.js";

/**
 * @typedef {import("./conversation.js").AssistantWordEvent} AssistantWordEvent
 * @typedef {import("./conversation.js").ConversationPorts} ConversationPorts
 * @typedef {import("./wire/realtime_events.js").RealtimeEvent} RealtimeEvent
 */

export class Replies {
  #ports;
  #messages;
  #generations = 0;
  #halves = new PcmDecoder();

  /** @param {ConversationPorts} ports @param {import("./remembered.js").Remembered} messages where they are kept */
  constructor(ports, messages) {
    this.#ports = ports;
    this.#messages = messages;
  }

  /** Replies whose sound is being played or will be. */
  get sounding() {
    return this.#messages.replies.filter(({ isOver }) => !isOver);
  }

  /** Whether this response says something. @param {string} responseId */
  has(responseId) {
    return this.#messages.replies.some((reply) => reply.responseId === responseId);
  }

  /**
   * The reply that an event belongs to; the first event of a message makes it.
   * @param {{item_id: string, response_id: string}} place @param {boolean} isRemembered the server's conversation knows it
   */
  of({ item_id: id, response_id: responseId }, isRemembered) {
    const known = this.#messages.get(id);
    if (known instanceof Reply) return known;
    const reply = new Reply(id, responseId, this.#generations, isRemembered);
    this.#generations += 1;
    this.#messages.keep(id, reply);
    return reply;
  }

  // -- what comes ---------------------------------------------------------------------------------------------------

  /** @param {Reply} reply @param {string} delta @returns {boolean} whether somebody will hear it */
  addText(reply, delta) {
    if (reply.isOver) return false;
    reply.addText(delta);
    this.#tell(reply);
    return true;
  }

  /** @param {Reply} reply @param {string} base64 */
  addSound(reply, base64) {
    if (reply.isOver) return;
    if (reply.receivedMs === 0) {
      this.#halves = new PcmDecoder();
      this.#ports.player.begin(reply.generation, REALTIME_RATE_HZ);
    }
    const samples = this.#halves.feed(fromBase64(base64));
    reply.receivedMs += (1000 * samples.length) / REALTIME_RATE_HZ;
    this.#ports.player.push(reply.generation, samples, REALTIME_RATE_HZ);
  }

  /** @param {string} id */
  endSound(id) {
    const reply = this.#messages.get(id);
    if (!(reply instanceof Reply)) return;
    reply.isWhole = true;
    if (reply.isOver) return;
    if (!this.#ports.isCall) this.#ports.player.end(reply.generation, reply.receivedMs);
    this.#tell(reply);
  }

  /** @param {Reply} reply @param {Extract<RealtimeEvent, {type: "vivavoce.words"}>} event */
  addWords(reply, event) {
    if (reply.isOver) return;
    reply.addWords(event.words, event.estimated);
    if (!this.#ports.isCall) return;
    reply.anchor(event.start_ms, this.#ports.now());
    this.#ports.player.reach(reply.generation, event.start_ms);
  }

  /** @param {"output_audio_buffer.started" | "output_audio_buffer.stopped" | "output_audio_buffer.cleared"} type @param {string} responseId */
  followTrack(type, responseId) {
    const reply = this.sounding.find((each) => each.responseId === responseId);
    if (!reply) return;
    const now = this.#ports.now();
    if (type === "output_audio_buffer.started") {
      reply.anchor(0, now);
      this.#ports.player.begin(reply.generation, 0);
    } else if (type === "output_audio_buffer.stopped") this.#ports.player.end(reply.generation, reply.leftMs(now));
    else this.cut();
  }

  /** The server has said all of a response. @param {string} responseId @returns {boolean} whether some of it is still to be heard */
  finish(responseId) {
    const mine = this.sounding.filter((reply) => reply.responseId === responseId);
    for (const reply of mine) reply.isWhole = true;
    return mine.some(({ isHeard }) => !isHeard);
  }

  // -- what is heard ------------------------------------------------------------------------------------------------

  /** The first sample of a reply is heard. @param {number} generation */
  started(generation) {
    const reply = this.#find(generation);
    if (!reply) return null;
    reply.isHeard = true;
    reply.playedAt = this.#ports.now();
    return reply;
  }

  /** @param {number} generation @param {number} playedMs */
  played(generation, playedMs) {
    const reply = this.#find(generation);
    for (const { utterance: _, index: __, ...word } of reply?.play(playedMs, this.#ports.now()) ?? []) {
      this.#ports.emit({ .../** @type {Omit<AssistantWordEvent, "id">} */ (word), id: /** @type {Reply} */ (reply).id });
    }
  }

  /** A reply was heard to its end. @param {number} generation @param {number} playedMs */
  drained(generation, playedMs) {
    this.played(generation, playedMs);
    const reply = this.#find(generation);
    if (reply) reply.isOver = true;
  }

  // -- silence ------------------------------------------------------------------------------------------------------

  /**
   * Nothing more is heard of what is being said.
   * @param {{isConnected?: boolean, at?: number}} [how] `at`: when it fell silent, on the clock; now by default
   */
  cut({ isConnected = true, at = this.#ports.now() } = {}) {
    for (const reply of this.sounding) {
      this.#ports.player.clear(reply.generation);
      const positionMs = reply.positionMs(at);
      reply.cut(at);
      if (isConnected && reply.isRemembered) this.#tellHeard(reply, positionMs);
      this.#tell(reply);
    }
  }

  /** @param {Reply} reply @param {number} positionMs */
  #tellHeard({ id }, positionMs) {
    const command = { type: "conversation.item.truncate", item_id: id, content_index: 0, audio_end_ms: positionMs };
    if (!this.#ports.isCall) this.#ports.send(command); // of a track, the server knows
    this.#ports.send({ type: "conversation.item.retrieve", item_id: id });
  }

  /** What the server believes was heard. @param {import("./wire/realtime_events.js").RealtimeItem} item */
  correct({ id, content = [] }) {
    const reply = this.#messages.get(id);
    const heard = content.map(({ transcript, text }) => transcript ?? text ?? "").join("");
    if (!(reply instanceof Reply) || reply.heard === null || !reply.text.startsWith(heard) || reply.heard === heard) return;
    reply.heard = heard;
    this.#tell(reply);
  }

  /** @param {number} generation */
  #find(generation) {
    return this.sounding.find((each) => each.generation === generation);
  }

  /** @param {Reply} reply */
  #tell({ id, text, isWhole, heard }) {
    this.#ports.emit({ type: "reply", id, text, isWhole: isWhole || heard !== null, heard });
  }
}
