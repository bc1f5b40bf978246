// A conversation over OpenAI Realtime: who has the floor, what the user says, and which turn takes how long.
//
// No page, no sound, no connection: those are ports. Events of the server and of the player go in; commands, sound and
// events for the page come out. What the assistant says is in replies.js. Used by assistant.js.

import { VoiceError } from "./errors.js";
import { Remembered } from "./remembered.js";
import { Replies } from "./replies.js";
import { Reply } from "./reply.js";
import { TurnTimes } from "./turn_times.js";

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
const READ_ALOUD = "You are a text-to-speech engine: read the text aloud, word for word.";
const ASIDE = "say";

export class Conversation {
  #ports;
  #messages = new Remembered();
  #replies;
  /** Responses that the server has not finished, and whether they are part of the conversation. @type {Map<string, boolean>} */
  #responses = new Map();
  /** Which turn a response answers. @type {Map<string, TurnTimes>} */
  #turnOf = new Map();
  /** @type {TurnTimes | null} */
  #turn = null;
  #turns = 0;
  #isUserSpeaking = false;
  #isAwaited = false;
  #speechEndedAt = 0;
  #sentMs = 0;
  #lastLoudAt = 0;
  /** Function calls of responses that also said something: they need no second answer. @type {Set<string>} */
  #answered = new Set();

  /** @param {ConversationPorts} ports */
  constructor(ports) {
    this.#ports = ports;
    this.#replies = new Replies(ports, this.#messages);
  }

  /** Between the first and the last sound of the user, as the server hears it. */
  get isUserSpeaking() {
    return this.#isUserSpeaking;
  }

  /** @returns {"listening" | "thinking" | "speaking"} */
  get activity() {
    if (this.#replies.sounding.some(({ isHeard }) => isHeard)) return "speaking";
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
    this.#messages.keep(id, { role: "user", text, isFinal: true });
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
    if (this.#ports.isCall && (isAnswering.length > 0 || this.#replies.sounding.length > 0)) this.#ports.send({ type: "output_audio_buffer.clear" });
    this.#isAwaited = false;
    this.#replies.cut();
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
    for (const { id, role, text } of this.#messages.said) this.#tellWritten(id, role, text);
  }

  /** The connection is gone, and whatever was being said on it. @param {number} [at] when, on the clock; now by default */
  lost(at = this.#ports.now()) {
    this.#responses.clear();
    this.#turnOf.clear();
    this.#isUserSpeaking = false;
    this.#isAwaited = false;
    this.#replies.cut({ isConnected: false, at });
  }

  /** @param {RealtimeEvent} event of the server */
  receive(event) {
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.#isUserSpeaking = true;
        this.#isAwaited = false;
        return this.#replies.cut();
      case "input_audio_buffer.speech_stopped":
        this.#isUserSpeaking = false;
        this.#speechEndedAt = this.#endOfSpeech(event.audio_end_ms);
        return;
      case "input_audio_buffer.committed":
        this.#messages.keep(event.item_id, { role: "user", text: "", isFinal: false });
        this.#beginTurn("speech", this.#speechEndedAt || this.#ports.now());
        return this.#mark(this.#turn, "certain");
      case "conversation.item.input_audio_transcription.delta":
        return this.#understand(event.item_id, event.delta);
      case "conversation.item.input_audio_transcription.completed":
        return this.#understand(event.item_id, event.transcript, true);
      case "conversation.item.input_audio_transcription.failed":
        return this.#understand(event.item_id, "", true);
      case "conversation.item.retrieved":
        return this.#replies.correct(event.item);
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
        return this.#replies.addSound(this.#reply(event), event.delta);
      case "response.output_audio.done":
        return this.#replies.endSound(event.item_id);
      case "vivavoce.words":
        return this.#replies.addWords(this.#reply(event), event);
      case "vivavoce.metrics":
        if (event.stage === "first_words") this.#mark(this.#turnOf.get(event.response_id), "thought");
        return;
      case "output_audio_buffer.started":
      case "output_audio_buffer.stopped":
      case "output_audio_buffer.cleared":
        return this.#replies.followTrack(event.type, event.response_id);
      case "response.function_call_arguments.done":
        if (this.#replies.has(event.response_id)) this.#answered.add(event.call_id);
        return this.#ports.emit({ type: "functioncall", callId: event.call_id, name: event.name, arguments: fromJson(event.arguments) });
      case "response.done":
        return this.#finish(event.response);
    }
  }

  // -- the player ---------------------------------------------------------------------------------------------------

  /** The first sample of a reply is heard. @param {number} generation */
  started(generation) {
    const reply = this.#replies.started(generation);
    if (!reply) return;
    this.#isAwaited = false;
    this.#mark(this.#turnOf.get(reply.responseId), "sound");
  }

  /** @param {number} generation @param {number} playedMs */
  played(generation, playedMs) {
    this.#replies.played(generation, playedMs);
  }

  /** A reply was heard to its end. @param {number} generation @param {number} playedMs */
  drained(generation, playedMs) {
    this.#replies.drained(generation, playedMs);
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
    this.#messages.keep(id, message);
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
  #reply(place) {
    return this.#replies.of(place, this.#responses.get(place.response_id) ?? true);
  }

  /** @param {Reply} reply @param {string} delta */
  #addText(reply, delta) {
    if (this.#replies.addText(reply, delta)) this.#mark(this.#turnOf.get(reply.responseId), "thought");
  }

  /** @param {import("./wire/realtime_events.js").RealtimeResponse} response */
  #finish({ id, status, status_details: details }) {
    this.#responses.delete(id);
    this.#turnOf.delete(id);
    this.#isAwaited = this.#replies.finish(id) || this.#responses.size > 0;
    if (status === "failed" && !details?.error) this.#ports.emit({ type: "error", error: new VoiceError("reply_failed", "the assistant could not answer") });
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
