// The speaking session, without sockets, clocks or sound: what to send, what to play and what to tell the program.
//
// Utterances go to the server one at a time, in order; the next one's text leaves as soon as the server has answered
// the one before, while that one's sound still plays. `client.js` feeds this with the program's calls, the server's
// messages and the player's reports.
//
//   waiting --sent--> open --session.done--> playing --drained--> finished
//      └── cancel, connection lost: each ends in exactly one `done` event

import { VoiceError } from "./errors.js";
import { fromBase64, PcmDecoder } from "./sound/pcm.js";
import { Utterance } from "./utterance.js";

/**
 * @typedef {import("./wire/messages.js").ClientMessage} ClientMessage
 * @typedef {import("./wire/messages.js").ServerMessage} ServerMessage
 * @typedef {import("./sound/playback_buffer.js").PlaybackReport} PlaybackReport
 *
 * @typedef {import("./sound/border.js").PlayerPort} PlayerPort
 *
 * @typedef {object} Ports
 * @property {(message: ClientMessage) => void} send
 * @property {PlayerPort} player
 * @property {(event: SessionEvent) => void} emit
 * @property {() => number} now milliseconds
 *
 * @typedef {{type: "audio-start", utterance: number, firstAudioMs: number}} AudioStartEvent the first sample is heard;
 *   `firstAudioMs` counts from the utterance's first written character
 * @typedef {{type: "heard", utterance: number, text: string, playedMs: number}} HeardEvent after a cancel
 * @typedef {{type: "error", error: VoiceError, utterance: number | null}} ErrorEvent
 * @typedef {AudioStartEvent | HeardEvent | ErrorEvent | import("./timeline.js").SentenceEvent
 *   | import("./timeline.js").WordEvent | import("./utterance.js").DoneEvent} SessionEvent
 */

/** How often the server is told what was heard. */
const POSITION_EVERY_MS = 250;
/** Share of the server's limit on unspoken text that is used: its count and ours differ by what is under way. */
const TEXT_SHARE = 0.75;

export class SpeechSession {
  /** @type {Ports} */
  #ports;
  #nextId = 0;
  #isConnected = false;
  /** @type {Utterance[]} */
  #waiting = [];
  /** The one the server works on. @type {Utterance | null} */
  #open = null;
  /** Answered by the server, still to be heard. @type {Utterance[]} */
  #playing = [];
  #pcm = new PcmDecoder();
  #textLimit = 8000;
  #positionSentAt = 0;

  /** @param {Ports} ports */
  constructor(ports) {
    this.#ports = ports;
  }

  /** What it is at: "waiting" for sound, "speaking", or "ready" for more. @returns {"ready" | "waiting" | "speaking"} */
  get activity() {
    const all = this.#unfinished();
    if (all.some((each) => each.started)) return "speaking";
    return all.length > 0 ? "waiting" : "ready";
  }

  /** Something is owed by the server. */
  get isOwed() {
    return this.#open !== null || this.#waiting.length > 0;
  }

  /** The server owes an answer even if the program says nothing more. */
  get isAnswerDue() {
    return this.#open !== null && (this.#open.endSent || this.#open.cancelling);
  }

  // -- the program --------------------------------------------------------------------------------------------------

  /** @param {string} delta @returns {Utterance} the one it was added to */
  write(delta) {
    const utterance = this.#writable() ?? this.#begin();
    utterance.write(delta);
    this.#advance();
    return utterance;
  }

  /** Speak what the server has buffered; the utterance goes on. */
  flush() {
    if (this.#open && this.#open === this.#writable() && !this.#open.unsent) this.#ports.send({ type: "input.flush" });
  }

  /** No more text for this utterance. */
  end() {
    const utterance = this.#writable();
    if (!utterance) return;
    utterance.ended = true;
    this.#advance();
  }

  /** Stops all that is not finished, at once. @returns {Utterance | null} the one that was being heard */
  cancel() {
    const [current = null] = this.#unfinished();
    const newest = this.#unfinished().at(-1);
    if (newest) this.#ports.player.clear(newest.id);
    for (const utterance of this.#playing.splice(0)) this.#stopped(utterance);
    if (this.#open) this.#cancelOpen(this.#open);
    for (const utterance of this.#waiting.splice(0)) this.#stopped(utterance);
    return current;
  }

  // -- the connection -----------------------------------------------------------------------------------------------

  /** The server is ready. @param {import("./wire/messages.js").Limits} limits @param {import("./wire/messages.js").SpeechConfig} config */
  connected(limits, config) {
    this.#isConnected = true;
    this.#textLimit = Math.max(1, Math.floor(limits.max_buffered_chars * TEXT_SHARE));
    this.#ports.send({ type: "session.config", ...config });
    this.#advance();
  }

  /** The connection is gone: the utterance in flight fails, those that wait go out on the next one. @param {VoiceError} error */
  lost(error) {
    this.#isConnected = false;
    const utterance = this.#open;
    if (!utterance) return;
    this.#open = null;
    if (utterance.cancelling) {
      this.#stopped(utterance);
      return;
    }
    this.#fail(utterance, error);
    this.#playOut(utterance, utterance.receivedMs);
  }

  /** No connection will come any more. @param {VoiceError} error */
  abandon(error) {
    this.lost(error);
    for (const utterance of this.#waiting.splice(0)) {
      this.#fail(utterance, error);
      this.#finish(utterance);
    }
  }

  /** @param {ServerMessage} message */
  receive(message) {
    if (message.type === "error") this.#failed(message);
    const utterance = this.#open;
    if (!utterance) return;
    if ("utterance_index" in message && message.utterance_index !== undefined) utterance.serverIndex ??= message.utterance_index;
    if (message.type === "session.done") this.#answered(utterance, message);
    else if (message.type === "playback.heard") utterance.heard = message.text;
    else if (!utterance.cancelling) this.#progress(utterance, message);
  }

  /** @param {Uint8Array} bytes sound of the open utterance, s16le */
  receiveAudio(bytes) {
    const utterance = this.#open;
    if (!utterance || utterance.cancelling || utterance.rateHz === 0) return;
    this.#placeSentence(utterance);
    const samples = this.#pcm.feed(bytes);
    utterance.receivedMs += (samples.length / utterance.rateHz) * 1000;
    this.#ports.player.push(utterance.id, samples, utterance.rateHz);
  }

  // -- the player ---------------------------------------------------------------------------------------------------

  /** The first sample is heard. @param {number} generation */
  started(generation) {
    const utterance = this.#find(generation);
    if (!utterance || utterance.started) return;
    utterance.started = true;
    const firstAudioMs = this.#ports.now() - utterance.writtenAtMs;
    this.#ports.emit({ type: "audio-start", utterance: utterance.id, firstAudioMs });
  }

  /** Playback has come so far. @param {number} generation @param {number} playedMs of what has left the speakers */
  played(generation, playedMs) {
    const utterance = this.#find(generation);
    if (!utterance || playedMs < utterance.playedMs) return;
    utterance.playedMs = playedMs;
    for (const event of utterance.timeline.advance(playedMs)) this.#ports.emit(event);
    const nowMs = this.#ports.now();
    if (nowMs - this.#positionSentAt >= POSITION_EVERY_MS) this.#sendPosition(utterance, nowMs);
  }

  /** All of it has been heard. @param {number} generation @param {number} playedMs */
  drained(generation, playedMs) {
    const utterance = this.#playing.find((each) => each.id === generation);
    if (!utterance) return;
    utterance.playedMs = Math.max(utterance.playedMs, playedMs);
    for (const event of utterance.timeline.advance(Infinity)) this.#ports.emit(event);
    this.#playing = this.#playing.filter((each) => each !== utterance);
    this.#finish(utterance);
  }

  // -- sending ------------------------------------------------------------------------------------------------------

  #begin() {
    const utterance = new Utterance(this.#nextId, this.#ports.now());
    this.#nextId += 1;
    this.#waiting.push(utterance);
    return utterance;
  }

  /** The utterance that takes more text, if any. */
  #writable() {
    const newest = this.#waiting.at(-1) ?? this.#open;
    return newest && !newest.ended && !newest.cancelling ? newest : null;
  }

  /** Sends whatever may be sent. */
  #advance() {
    if (!this.#isConnected) return;
    this.#open ??= this.#waiting.shift() ?? null;
    const utterance = this.#open;
    if (!utterance || utterance.cancelling) return;
    const text = utterance.takeText(this.#textLimit);
    if (text) this.#ports.send({ type: "input.text", text });
    if (!utterance.ended || utterance.unsent || utterance.endSent) return;
    utterance.endSent = true;
    this.#ports.send({ type: "input.done" });
  }

  /** @param {Utterance} utterance */
  #cancelOpen(utterance) {
    if (utterance.cancelling) return;
    utterance.cancelling = true;
    utterance.unsent = "";
    this.#sendPosition(utterance, this.#ports.now());
    this.#ports.send({ type: "input.cancel" });
  }

  /** @param {Utterance} utterance @param {number} nowMs */
  #sendPosition(utterance, nowMs) {
    if (utterance !== this.#open || utterance.serverIndex === null) return;
    this.#positionSentAt = nowMs;
    const playedMs = Math.round(utterance.playedMs);
    this.#ports.send({ type: "playback.position", utterance_index: utterance.serverIndex, played_ms: playedMs });
  }

  // -- answers ------------------------------------------------------------------------------------------------------

  /** @param {Utterance} utterance @param {ServerMessage} message */
  #progress(utterance, message) {
    if (message.type === "audio.start") {
      if (utterance.rateHz !== message.sample_rate) this.#pcm = new PcmDecoder();
      utterance.rateHz = message.sample_rate;
      utterance.unspoken = Math.max(0, utterance.unspoken - message.sentence_text.length);
      this.#ports.player.begin(utterance.id, utterance.rateHz);
      utterance.announced = message;
      this.#advance();
    } else if (message.type === "audio.timestamps") {
      if (message.start_ms !== undefined) this.#reach(utterance, message.start_ms);
      this.#placeSentence(utterance);
      utterance.timeline.addWords(message.words, message.estimated);
    } else if (message.type === "audio.done") {
      const isSpoken = utterance.unspoken === 0 && !utterance.unsent;
      if (isSpoken && !utterance.endSent) this.#ports.player.rest(utterance.id);
    } else if (message.type === "audio.delta") {
      this.receiveAudio(fromBase64(message.audio));
    }
  }

  /** A sentence begins where the sound stands that follows its announcement. @param {Utterance} utterance */
  #placeSentence(utterance) {
    const { announced } = utterance;
    utterance.announced = null;
    if (announced) utterance.timeline.addSentence(announced.sentence_index, announced.sentence_text, utterance.receivedMs);
  }

  /** The server says how far the sound has come: where it travels as a track, nothing else does. @param {Utterance} utterance @param {number} startMs */
  #reach(utterance, startMs) {
    utterance.receivedMs = Math.max(utterance.receivedMs, startMs);
    this.#ports.player.reach(utterance.id, startMs);
  }

  /** @param {Utterance} utterance @param {Extract<ServerMessage, {type: "session.done"}>} message */
  #answered(utterance, message) {
    this.#open = null;
    this.#placeSentence(utterance);
    this.#pcm = new PcmDecoder();
    utterance.heard ??= message.heard ?? null;
    if (message.status === "cancelled") {
      this.#ports.player.clear(utterance.id);
      this.#stopped(utterance);
    } else {
      utterance.status = message.status;
      if (message.status === "completed") utterance.heard = null; // all of it, or what is heard before a later cancel
      this.#playOut(utterance, message.duration_ms);
    }
    this.#advance();
  }

  /** Nothing more will come: what is here is heard to its end. @param {Utterance} utterance @param {number} durationMs */
  #playOut(utterance, durationMs) {
    if (utterance.rateHz === 0 || durationMs === 0) {
      this.#finish(utterance);
      return;
    }
    this.#playing.push(utterance);
    this.#ports.player.end(utterance.id, durationMs);
  }

  /** @param {Extract<ServerMessage, {type: "error"}>} message */
  #failed({ error, utterance_index: index }) {
    const voiceError = new VoiceError(error.code ?? error.type, error.message, { param: error.param });
    const isOfOpen = this.#open !== null && index !== undefined;
    if (this.#open && isOfOpen) this.#open.error = voiceError;
    this.#ports.emit({ type: "error", error: voiceError, utterance: this.#open && isOfOpen ? this.#open.id : null });
  }

  /** @param {Utterance} utterance @param {VoiceError} error */
  #fail(utterance, error) {
    utterance.status = "failed";
    utterance.error = error;
    this.#ports.emit({ type: "error", error, utterance: utterance.id });
  }

  /** @param {Utterance} utterance */
  #stopped(utterance) {
    utterance.status = "cancelled";
    const text = utterance.heard ?? utterance.timeline.heardText;
    this.#ports.emit({ type: "heard", utterance: utterance.id, text, playedMs: utterance.playedMs });
    this.#finish(utterance);
  }

  /** @param {Utterance} utterance */
  #finish(utterance) {
    this.#ports.emit(utterance.finish());
  }

  #unfinished() {
    return [...this.#playing, ...(this.#open ? [this.#open] : []), ...this.#waiting];
  }

  /** @param {number} generation */
  #find(generation) {
    return this.#unfinished().find((each) => each.id === generation);
  }
}
