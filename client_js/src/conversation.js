// A conversation over OpenAI Realtime: who has the floor, what both sides say, and what the listener has heard of it.
//
// No page, no sound, no connection: those are ports. Events of the server and of the player go in; commands, sound and
// events for the page come out. Used by assistant.js.

import { VoiceError } from "./errors.js";
import { Reply } from "./reply.js";
import { fromBase64, PcmDecoder } from "./sound/pcm.js";
import { TurnTimes } from "./turn_times.js";
import { REALTIME_RATE_HZ } from "./wire/realtime_events.js";

/**
 * @typedef {object} TranscriptEvent what the user says
 * @property {"transcript"} type
 * @property {string} id of the message
 * @property {string} text so far
 * @property {boolean} isFinal nothing of it will change; an empty text was none
 *
 * @typedef {object} ReplyEvent what the assistant says
 * @property {"reply"} type
 * @property {string} id of the message
 * @property {string} text so far
 * @property {boolean} isWhole nothing will be added
 * @property {string | null} heard what was heard of it, where it was cut; null: it was not
 *
 * @typedef {object} AssistantWordEvent a word begins to be heard
 * @property {"word"} type
 * @property {string} id of the message
 * @property {string} text
 * @property {number} start index of its first character (UTF-16 unit) in the message's text
 * @property {number} end index after its last character
 * @property {number} startMs from the message's first sample
 * @property {number} endMs
 * @property {boolean} estimated
 *
 * @typedef {object} FunctionCallEvent
 * @property {"functioncall"} type
 * @property {string} callId
 * @property {string} name
 * @property {Record<string, unknown>} arguments
 *
 * @typedef {{type: "metrics"} & import("./turn_times.js").TurnMetrics} TurnMetricsEvent after each stage of a turn
 * @typedef {{type: "error", error: VoiceError}} AssistantErrorEvent
 * @typedef {TranscriptEvent | ReplyEvent | AssistantWordEvent | FunctionCallEvent | TurnMetricsEvent | AssistantErrorEvent} ConversationEvent
 *
 * @typedef {import("./wire/realtime_events.js").RealtimeEvent} RealtimeEvent
 * @typedef {import("./wire/realtime_events.js").RealtimeCommand} RealtimeCommand
 *
 * @typedef {object} ConversationPorts
 * @property {(command: RealtimeCommand) => void} send
 * @property {import("./sound/border.js").PlayerPort} player
 * @property {(event: ConversationEvent) => void} emit
 * @property {() => number} now milliseconds
 * @property {boolean} isCall sound travels as tracks, and the server counts what was heard of it
 */

/** What a server says to a command that came too late; nobody needs to know. */
const HARMLESS = new Set([
  "response_cancel_not_active",
  "conversation_already_has_active_response",
  "item_truncate_invalid_item_id",
  "item_retrieve_invalid_item_id",
]);
/** Messages that are told again after a loss of the connection. */
const MOST_REMEMBERED = 40;
const READ_ALOUD = "You are a text-to-speech engine: read the text aloud, word for word.";
const ASIDE = "say";

export class Conversation {
  #ports;
  /** @type {Map<string, {role: "user", text: string, isFinal: boolean} | Reply>} by item, in order */
  #messages = new Map();
  /** Responses that the server has not finished, and whether they are part of the conversation. @type {Map<string, boolean>} */
  #responses = new Map();
  /** Which turn a response answers. @type {Map<string, TurnTimes>} */
  #turnOf = new Map();
  /** @type {TurnTimes | null} */
  #turn = null;
  #turns = 0;
  #generations = 0;
  #isUserSpeaking = false;
  #isAwaited = false;
  #speechEndedAt = 0;
  #sentMs = 0;
  #lastLoudAt = 0;
  /** Function calls of responses that also said something: they need no second answer. @type {Set<string>} */
  #answered = new Set();
  #halves = new PcmDecoder();

  /** @param {ConversationPorts} ports */
  constructor(ports) {
    this.#ports = ports;
  }

  /** Between the first and the last sound of the user, as the server hears it. */
  get isUserSpeaking() {
    return this.#isUserSpeaking;
  }

  /** @returns {"listening" | "thinking" | "speaking"} */
  get activity() {
    if (this.#sounding().some(({ isHeard }) => isHeard)) return "speaking";
    return this.#isAwaited ? "thinking" : "listening";
  }

  // -- the user -----------------------------------------------------------------------------------------------------

  /** So much of the microphone's sound was sent. @param {number} ms */
  sent(ms) {
    this.#sentMs += ms;
  }

  /** The microphone hears something that is louder than its room. */
  loud() {
    this.#lastLoudAt = this.#ports.now();
  }

  /** The user writes instead of speaking. @param {string} text @param {string} id */
  write(text, id) {
    this.interrupt();
    this.#tellWritten(id, "user", text);
    this.#keep(id, { role: "user", text, isFinal: true });
    this.#ports.emit({ type: "transcript", id, text, isFinal: true });
    this.#beginTurn("text", this.#ports.now());
    this.#ask({});
  }

  /** The assistant says this text, whatever it thinks. @param {string} text @param {string} id */
  say(text, id) {
    this.interrupt();
    this.#turn = null;
    const input = [{ type: "message", role: "user", content: [{ type: "input_text", text }] }];
    this.#ask({ conversation: "none", instructions: READ_ALOUD, input, metadata: { vivavoce: ASIDE } });
    this.#tellWritten(id, "assistant", text);
  }

  /** Silence, at once; what was heard is remembered. */
  interrupt() {
    const isAnswering = [...this.#responses.keys()];
    for (const id of isAnswering) this.#ports.send({ type: "response.cancel", response_id: id });
    if (this.#ports.isCall && (isAnswering.length > 0 || this.#sounding().length > 0)) this.#ports.send({ type: "output_audio_buffer.clear" });
    this.#isAwaited = false;
    this.#cut();
  }

  /** What a function gave. @param {string} callId @param {string} output @param {boolean} [isAsked] whether the assistant answers to it */
  answerCall(callId, output, isAsked = !this.#answered.has(callId)) {
    this.#answered.delete(callId);
    this.#ports.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: callId, output } });
    if (isAsked) this.#ask({});
  }

  // -- the connection -----------------------------------------------------------------------------------------------

  /** A connection has opened: it is set up, and told what was said before. @param {Record<string, unknown>} session */
  connected(session) {
    this.#sentMs = 0;
    this.#ports.send({ type: "session.update", session });
    for (const [id, message] of this.#messages) {
      const text = message instanceof Reply ? (message.heard ?? message.text) : message.text;
      if (text) this.#tellWritten(id, message instanceof Reply ? "assistant" : "user", text);
    }
  }

  /** The connection is gone, and whatever was being said on it. */
  lost() {
    this.#responses.clear();
    this.#turnOf.clear();
    this.#isUserSpeaking = false;
    this.#isAwaited = false;
    this.#cut(false);
  }

  /** @param {RealtimeEvent} event of the server */
  receive(event) {
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.#isUserSpeaking = true;
        this.#isAwaited = false;
        return this.#cut();
      case "input_audio_buffer.speech_stopped":
        this.#isUserSpeaking = false;
        this.#speechEndedAt = this.#endOfSpeech(event.audio_end_ms);
        return;
      case "input_audio_buffer.committed":
        this.#keep(event.item_id, { role: "user", text: "", isFinal: false });
        this.#beginTurn("speech", this.#speechEndedAt || this.#ports.now());
        return this.#mark(this.#turn, "certain");
      case "conversation.item.input_audio_transcription.delta":
        return this.#understand(event.item_id, event.delta);
      case "conversation.item.input_audio_transcription.completed":
        return this.#understand(event.item_id, event.transcript, true);
      case "conversation.item.input_audio_transcription.failed":
        return this.#understand(event.item_id, "", true);
      case "conversation.item.retrieved":
        return this.#correct(event.item);
      case "error":
        if (!HARMLESS.has(event.error.code ?? "")) this.#ports.emit({ type: "error", error: toVoiceError(event.error) });
        return;
      default:
        return this.#receiveResponse(event);
    }
  }

  /** @param {RealtimeEvent} event */
  #receiveResponse(event) {
    switch (event.type) {
      case "response.created":
        this.#responses.set(event.response.id, event.response.metadata?.vivavoce !== ASIDE);
        if (this.#turn) this.#turnOf.set(event.response.id, this.#turn);
        this.#isAwaited = true;
        return;
      case "response.output_audio_transcript.delta":
        return this.#addText(this.#reply(event), event.delta);
      case "response.output_audio.delta":
        return this.#addSound(this.#reply(event), event.delta);
      case "response.output_audio.done":
        return this.#endSound(event.item_id);
      case "vivavoce.words":
        return this.#addWords(event);
      case "vivavoce.metrics":
        if (event.stage === "first_words") this.#mark(this.#turnOf.get(event.response_id), "thought");
        return;
      case "output_audio_buffer.started":
      case "output_audio_buffer.stopped":
      case "output_audio_buffer.cleared":
        return this.#followTrack(event.type, event.response_id);
      case "response.function_call_arguments.done":
        if (this.#replies().some(({ responseId }) => responseId === event.response_id)) this.#answered.add(event.call_id);
        return this.#ports.emit({ type: "functioncall", callId: event.call_id, name: event.name, arguments: fromJson(event.arguments) });
      case "response.done":
        return this.#finish(event.response);
    }
  }

  // -- the player ---------------------------------------------------------------------------------------------------

  /** The first sample of a reply is heard. @param {number} generation */
  started(generation) {
    const reply = this.#sounding().find((each) => each.generation === generation);
    if (!reply) return;
    reply.isHeard = true;
    reply.playedAt = this.#ports.now();
    this.#isAwaited = false;
    this.#mark(this.#turnOf.get(reply.responseId), "sound");
  }

  /** @param {number} generation @param {number} playedMs */
  played(generation, playedMs) {
    const reply = this.#sounding().find((each) => each.generation === generation);
    for (const { utterance: _, index: __, ...word } of reply?.play(playedMs, this.#ports.now()) ?? []) {
      this.#ports.emit({ .../** @type {Omit<AssistantWordEvent, "id">} */ (word), id: /** @type {Reply} */ (reply).id });
    }
  }

  /** A reply was heard to its end. @param {number} generation @param {number} playedMs */
  drained(generation, playedMs) {
    this.played(generation, playedMs);
    const reply = this.#sounding().find((each) => each.generation === generation);
    if (reply) reply.isOver = true;
  }

  // -- what the user says -------------------------------------------------------------------------------------------

  /** When the user fell silent. @param {number} audioEndMs of the connection's sound */
  #endOfSpeech(audioEndMs) {
    const now = this.#ports.now();
    if (this.#sentMs > 0) return now - Math.max(0, this.#sentMs - audioEndMs);
    return this.#lastLoudAt || now; // of a track nobody counts the samples
  }

  /** @param {string} id @param {string} text more of the words, or all of them @param {boolean} [isFinal] */
  #understand(id, text, isFinal = false) {
    const before = this.#messages.get(id);
    if (before instanceof Reply) return;
    const message = { role: /** @type {"user"} */ ("user"), text: isFinal ? text : (before?.text ?? "") + text, isFinal };
    this.#keep(id, message);
    if (isFinal) this.#mark(this.#turn, "words");
    if (isFinal && !text && this.#responses.size === 0) this.#isAwaited = false;
    this.#ports.emit({ type: "transcript", id, text: message.text, isFinal });
  }

  /** @param {"speech" | "text"} by @param {number} at */
  #beginTurn(by, at) {
    this.#turn = new TurnTimes(this.#turns, by, at);
    this.#turns += 1;
    this.#speechEndedAt = 0;
    this.#isAwaited = true;
  }

  /** @param {TurnTimes | null | undefined} turn @param {"certain" | "words" | "thought" | "sound"} stage */
  #mark(turn, stage) {
    if (turn?.mark(stage, this.#ports.now())) this.#ports.emit({ type: "metrics", ...turn.metrics });
  }

  // -- what the assistant says --------------------------------------------------------------------------------------

  /** @param {{item_id: string, response_id: string}} place */
  #reply({ item_id: id, response_id: responseId }) {
    const known = this.#messages.get(id);
    if (known instanceof Reply) return known;
    const reply = new Reply(id, responseId, this.#generations, this.#responses.get(responseId) ?? true);
    this.#generations += 1;
    this.#keep(id, reply);
    return reply;
  }

  /** @param {Reply} reply @param {string} delta */
  #addText(reply, delta) {
    if (reply.isOver) return;
    reply.addText(delta);
    this.#mark(this.#turnOf.get(reply.responseId), "thought");
    this.#tell(reply);
  }

  /** @param {Reply} reply @param {string} base64 */
  #addSound(reply, base64) {
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
  #endSound(id) {
    const reply = this.#messages.get(id);
    if (!(reply instanceof Reply)) return;
    reply.isWhole = true;
    if (reply.isOver) return;
    if (!this.#ports.isCall) this.#ports.player.end(reply.generation, reply.receivedMs);
    this.#tell(reply);
  }

  /** @param {Extract<RealtimeEvent, {type: "vivavoce.words"}>} event */
  #addWords(event) {
    const reply = this.#reply(event);
    if (reply.isOver) return;
    reply.addWords(event.words, event.estimated);
    if (!this.#ports.isCall) return;
    reply.anchor(event.start_ms, this.#ports.now());
    this.#ports.player.reach(reply.generation, event.start_ms);
  }

  /** @param {"output_audio_buffer.started" | "output_audio_buffer.stopped" | "output_audio_buffer.cleared"} type @param {string} responseId */
  #followTrack(type, responseId) {
    const reply = this.#sounding().find((each) => each.responseId === responseId);
    if (!reply) return;
    const now = this.#ports.now();
    if (type === "output_audio_buffer.started") {
      reply.anchor(0, now);
      this.#ports.player.begin(reply.generation, 0);
    } else if (type === "output_audio_buffer.stopped") this.#ports.player.end(reply.generation, reply.leftMs(now));
    else this.#cut();
  }

  /** @param {import("./wire/realtime_events.js").RealtimeResponse} response */
  #finish({ id, status, status_details: details }) {
    this.#responses.delete(id);
    this.#turnOf.delete(id);
    const mine = this.#sounding().filter(({ responseId }) => responseId === id);
    for (const reply of mine) reply.isWhole = true;
    this.#isAwaited = mine.some(({ isHeard }) => !isHeard) || this.#responses.size > 0;
    if (status === "failed" && !details?.error) this.#ports.emit({ type: "error", error: new VoiceError("reply_failed", "the assistant could not answer") });
  }

  // -- silence ------------------------------------------------------------------------------------------------------

  /** Nothing more is heard of what is being said. @param {boolean} [isConnected] */
  #cut(isConnected = true) {
    const now = this.#ports.now();
    for (const reply of this.#sounding()) {
      this.#ports.player.clear(reply.generation);
      const positionMs = reply.positionMs(now);
      reply.cut(now);
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
  #correct({ id, content = [] }) {
    const reply = this.#messages.get(id);
    const heard = content.map(({ transcript, text }) => transcript ?? text ?? "").join("");
    if (!(reply instanceof Reply) || reply.heard === null || !reply.text.startsWith(heard) || reply.heard === heard) return;
    reply.heard = heard;
    this.#tell(reply);
  }

  // -- messages -----------------------------------------------------------------------------------------------------

  #replies() {
    return [...this.#messages.values()].filter((message) => message instanceof Reply);
  }

  #sounding() {
    return this.#replies().filter(({ isOver }) => !isOver);
  }

  /** @param {Reply} reply */
  #tell({ id, text, isWhole, heard }) {
    this.#ports.emit({ type: "reply", id, text, isWhole: isWhole || heard !== null, heard });
  }

  /** @param {string} id @param {{role: "user", text: string, isFinal: boolean} | Reply} message */
  #keep(id, message) {
    this.#messages.set(id, message);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MOST_REMEMBERED) this.#messages.delete(oldest);
  }

  /** @param {Record<string, unknown>} response */
  #ask(response) {
    this.#isAwaited = true;
    this.#ports.send({ type: "response.create", response });
  }

  /** @param {string} id @param {"user" | "assistant"} role @param {string} text */
  #tellWritten(id, role, text) {
    const content = [{ type: role === "user" ? "input_text" : "output_text", text }];
    this.#ports.send({ type: "conversation.item.create", item: { id, type: "message", role, content } });
  }
}

/** @param {import("./wire/realtime_events.js").RealtimeErrorBody} error */
function toVoiceError({ code, type, message }) {
  return new VoiceError(code ?? type, message);
}

/** @param {string} text @returns {Record<string, unknown>} */
function fromJson(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
