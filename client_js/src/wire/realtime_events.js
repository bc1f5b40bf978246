// The events of OpenAI Realtime that the assistant reads and writes; any others are passed over.
//
// The same over a WebSocket and over the data channel of a call. This module knows no order of events:
// conversation.js does.

import { VoiceError } from "../errors.js";
import { flag, isObject, many, number, object, oneOf, optional, read, Refused, required, text } from "./rules.js";

export const REALTIME_SUBPROTOCOL = "realtime";
/** A browser cannot set headers on a WebSocket: a client secret stands among the subprotocols. @param {string} secret */
export const secretProtocol = (secret) => `openai-insecure-api-key.${secret}`;
/** Of the sound on the WebSocket, both ways. */
export const REALTIME_RATE_HZ = 24_000;

/**
 * @typedef {{text: string, start_ms: number, end_ms: number}} WordTime
 * @typedef {{type: string, code?: string, message: string, event_id?: string}} RealtimeErrorBody
 * @typedef {{type: string, text?: string, transcript?: string}} Part
 * @typedef {{id: string, type: string, role?: string, content?: Part[]}} RealtimeItem
 * @typedef {{id: string, status: string, metadata?: Record<string, string>,
 *   status_details?: {reason?: string, error?: RealtimeErrorBody}}} RealtimeResponse
 *
 * @typedef {{type: "session.created" | "session.updated"}
 *   | {type: "input_audio_buffer.speech_started", item_id: string, audio_start_ms: number}
 *   | {type: "input_audio_buffer.speech_stopped", item_id: string, audio_end_ms: number}
 *   | {type: "input_audio_buffer.committed", item_id: string}
 *   | {type: "conversation.item.input_audio_transcription.delta", item_id: string, delta: string}
 *   | {type: "conversation.item.input_audio_transcription.completed", item_id: string, transcript: string}
 *   | {type: "conversation.item.input_audio_transcription.failed", item_id: string}
 *   | {type: "conversation.item.retrieved", item: RealtimeItem}
 *   | {type: "response.created" | "response.done", response: RealtimeResponse}
 *   | {type: "response.output_audio.delta", response_id: string, item_id: string, delta: string}
 *   | {type: "response.output_audio.done", response_id: string, item_id: string}
 *   | {type: "response.output_audio_transcript.delta", response_id: string, item_id: string, delta: string}
 *   | {type: "response.function_call_arguments.done", response_id: string, call_id: string, name: string, arguments: string}
 *   | {type: "output_audio_buffer.started" | "output_audio_buffer.stopped" | "output_audio_buffer.cleared", response_id: string}
 *   | {type: "vivavoce.words", response_id: string, item_id: string, start_ms: number, words: WordTime[], estimated: boolean}
 *   | {type: "vivavoce.metrics", response_id: string, stage: string}
 *   | {type: "error", error: RealtimeErrorBody}} RealtimeEvent
 *
 * @typedef {{type: string} & Record<string, unknown>} RealtimeCommand what a client sends
 */

const ms = required(number(0, 1e12));
const id = required(text(200));
const ERROR = { type: optional(text(200), ""), code: optional(text(200)), message: required(text()), event_id: optional(text(600)) };
const PART = { type: required(text(64)), text: optional(text()), transcript: optional(text()) };
const ITEM = { id, type: required(text(64)), role: optional(text(64)), content: optional(many(object(PART)), []) };
const RESPONSE = {
  id,
  status: required(oneOf("in_progress", "completed", "cancelled", "failed", "incomplete")),
  metadata: optional(texts),
  status_details: optional(object({ reason: optional(text(200)), error: optional(object(ERROR)) })),
};
const PLACE = { response_id: id, item_id: id };
const WORD = { text: required(text(1000)), start_ms: ms, end_ms: ms };

/** @type {Record<string, import("./rules.js").Shape>} */
const EVENTS = {
  "session.created": {},
  "session.updated": {},
  "input_audio_buffer.speech_started": { item_id: id, audio_start_ms: ms },
  "input_audio_buffer.speech_stopped": { item_id: id, audio_end_ms: ms },
  "input_audio_buffer.committed": { item_id: id },
  "conversation.item.input_audio_transcription.delta": { item_id: id, delta: required(text()) },
  "conversation.item.input_audio_transcription.completed": { item_id: id, transcript: required(text()) },
  "conversation.item.input_audio_transcription.failed": { item_id: id },
  "conversation.item.retrieved": { item: required(object(ITEM)) },
  "response.created": { response: required(object(RESPONSE)) },
  "response.done": { response: required(object(RESPONSE)) },
  "response.output_audio.delta": { ...PLACE, delta: required(text(16_000_000)) },
  "response.output_audio.done": PLACE,
  "response.output_audio_transcript.delta": { ...PLACE, delta: required(text()) },
  "response.function_call_arguments.done": { response_id: id, call_id: id, name: id, arguments: required(text()) },
  "output_audio_buffer.started": { response_id: id },
  "output_audio_buffer.stopped": { response_id: id },
  "output_audio_buffer.cleared": { response_id: id },
  "vivavoce.words": { ...PLACE, start_ms: ms, words: required(many(object(WORD))), estimated: optional(flag, false) },
  "vivavoce.metrics": { response_id: id, stage: required(text(64)) },
  error: { error: required(object(ERROR)) },
};

/**
 * Reads what a server sent.
 * @param {string} data
 * @returns {RealtimeEvent}
 * @throws {VoiceError} `invalid_json`, `unknown_type`, `missing_field` or `invalid_field`
 */
export function parseEvent(data) {
  const values = fromJson(data);
  const { type } = values;
  if (typeof type !== "string" || !Object.hasOwn(EVENTS, type)) {
    throw new VoiceError("unknown_type", `unknown event type ${JSON.stringify(type)}`, { param: "type" });
  }
  try {
    return /** @type {RealtimeEvent} */ ({ type, ...read(EVENTS[type], values) });
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    const { expected, where } = refused;
    const wanted = expected ? `must be ${expected}` : "is missing";
    throw new VoiceError(expected ? "invalid_field" : "missing_field", `'${where}' of ${type} ${wanted}`, { param: where });
  }
}

/** @param {string} data @returns {Record<string, unknown>} */
function fromJson(data) {
  try {
    const value = JSON.parse(data);
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw new VoiceError("invalid_json", "the event is not a JSON object");
}

/** An object whose values are texts. @param {unknown} value */
function texts(value) {
  if (isObject(value) && Object.values(value).every((each) => typeof each === "string")) return value;
  throw new Refused("an object of strings");
}

/** An id of a message, which nobody else chooses. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `item_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
