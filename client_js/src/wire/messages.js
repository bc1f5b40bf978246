// The messages of the native stream, version 1: what each may hold, how it is read and how it is written.
//
// The same over a WebSocket and over a WebRTC data channel; docs/protocol.md is their reference. This module knows no
// session and no order of messages: session.js does.

import { VoiceError } from "../errors.js";
import { flag, index, isObject, many, number, object, oneOf, optional, read, Refused, required, text, whole } from "./rules.js";

export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = `vivavoce.v${PROTOCOL_VERSION}`;

/**
 * @typedef {object} Limits every limit of a session
 * @property {number} max_message_bytes
 * @property {number} max_buffered_chars
 * @property {number} max_pending_utterances
 * @property {number} max_controls_per_s
 * @property {number} max_errors_per_10_s
 * @property {number} max_ahead_ms
 * @property {number} stall_timeout_ms
 * @property {number} idle_timeout_ms
 * @property {number} min_sample_rate
 * @property {number} max_sample_rate
 * @property {string[]} formats
 *
 * @typedef {object} VoiceSummary a voice that can speak
 * @property {string} id
 * @property {string} name
 * @property {string[]} languages
 * @property {string} [engine]
 * @property {number} [sample_rate]
 * @property {string[]} references named styles, spoken as `id/Style`
 *
 * @typedef {object} SpeechConfig how to speak from the next utterance on; a field left out keeps its last value
 * @property {string} [model]
 * @property {string} [voice]
 * @property {string} [response_format]
 * @property {number} [sample_rate]
 * @property {number} [speed]
 * @property {string} [language]
 * @property {string} [instructions]
 * @property {number} [seed]
 * @property {number} [temperature]
 * @property {number} [top_k]
 * @property {number} [top_p]
 * @property {number} [repetition_penalty]
 * @property {"word" | "none"} [timestamps]
 * @property {"binary" | "base64"} [audio]
 * @property {"realtime" | "burst"} [pace]
 *
 * @typedef {{text: string, start_ms: number, end_ms: number}} WordTime
 * @typedef {{message: string, type: string, param: string | null, code: string | null}} ErrorBody
 *
 * @typedef {({type: "session.config"} & SpeechConfig)
 *   | {type: "input.text", text: string}
 *   | {type: "input.flush"} | {type: "input.done"} | {type: "input.cancel"}
 *   | {type: "playback.position", utterance_index: number, played_ms: number}
 *   | {type: "session.close"}} ClientMessage
 *
 * @typedef {{type: "session.created", session_id: string, limits: Limits, voices: VoiceSummary[], protocol: number}
 *   | {type: "audio.start", utterance_index: number, sentence_index: number, sentence_text: string, format: string, sample_rate: number}
 *   | {type: "audio.delta", audio: string}
 *   | {type: "audio.timestamps", utterance_index: number, words: WordTime[], estimated: boolean, start_ms?: number}
 *   | {type: "audio.unspoken", utterance_index: number, text: string, start: number}
 *   | {type: "audio.done", utterance_index: number, sentence_index: number, total_bytes: number, error: boolean}
 *   | {type: "session.done", utterance_index: number, total_sentences: number, status: DoneStatus, duration_ms: number, heard?: string}
 *   | {type: "playback.heard", utterance_index: number, text: string, played_ms: number}
 *   | {type: "error", error: ErrorBody, utterance_index?: number}
 *   | {type: "session.closing", reason: string}} ServerMessage
 *
 * @typedef {"completed" | "cancelled" | "failed"} DoneStatus
 */

const LIMITS = {
  max_message_bytes: optional(index, 256 * 1024),
  max_buffered_chars: optional(index, 8000),
  max_pending_utterances: optional(index, 4),
  max_controls_per_s: optional(index, 20),
  max_errors_per_10_s: optional(index, 10),
  max_ahead_ms: optional(index, 4000),
  stall_timeout_ms: optional(index, 30_000),
  idle_timeout_ms: optional(index, 120_000),
  min_sample_rate: optional(index, 8000),
  max_sample_rate: optional(index, 48_000),
  formats: optional(many(text(16)), ["pcm"]),
};

const VOICE = {
  id: required(text(64)),
  name: required(text(200)),
  languages: optional(many(text(16)), []),
  engine: optional(text(64)),
  sample_rate: optional(whole(1, 384_000)),
  references: optional(many(text(200)), []),
};

const WORD = { text: required(text(1000)), start_ms: required(index), end_ms: required(index) };

const ERROR = { message: required(text()), type: required(text(64)), param: optional(text(200), null), code: optional(text(64), null) };

/** @type {Record<string, import("./rules.js").Shape>} */
const CLIENT = {
  "session.config": {
    model: optional(text(128)),
    voice: optional(text(128)),
    response_format: optional(text(16)),
    sample_rate: optional(whole(8000, 48_000)),
    speed: optional(number(0.25, 4)),
    language: optional(text(16)),
    instructions: optional(text(2000)),
    seed: optional(whole(0, 2 ** 53)),
    temperature: optional(number(0, 5)),
    top_k: optional(whole(1, 1025)),
    top_p: optional(number(Number.MIN_VALUE, 1)),
    repetition_penalty: optional(number(Number.MIN_VALUE, 10)),
    timestamps: optional(oneOf("word", "none")),
    audio: optional(oneOf("binary", "base64")),
    pace: optional(oneOf("realtime", "burst")),
  },
  "input.text": { text: required(text()) },
  "input.flush": {},
  "input.done": {},
  "input.cancel": {},
  "playback.position": { utterance_index: required(index), played_ms: required(number(0, 1e9)) },
  "session.close": {},
};

/** @type {Record<string, import("./rules.js").Shape>} */
const SERVER = {
  "session.created": {
    session_id: required(text(64)),
    limits: required(object(LIMITS)),
    voices: optional(many(object(VOICE)), []),
    protocol: optional(index, PROTOCOL_VERSION),
  },
  "audio.start": {
    utterance_index: required(index),
    sentence_index: required(index),
    sentence_text: required(text()),
    format: required(text(16)),
    sample_rate: required(whole(1, 384_000)),
  },
  "audio.delta": { audio: required(text(16_000_000)) },
  "audio.timestamps": { utterance_index: required(index), words: required(many(object(WORD))), estimated: required(flag), start_ms: optional(index) },
  "audio.unspoken": { utterance_index: required(index), text: required(text()), start: required(index) },
  "audio.done": {
    utterance_index: required(index),
    sentence_index: required(index),
    total_bytes: required(index),
    error: optional(flag, false),
  },
  "session.done": {
    utterance_index: required(index),
    total_sentences: required(index),
    status: required(oneOf("completed", "cancelled", "failed")),
    duration_ms: required(index),
    heard: optional(text()),
  },
  "playback.heard": { utterance_index: required(index), text: required(text()), played_ms: required(index) },
  error: { error: required(object(ERROR)), utterance_index: optional(index) },
  "session.closing": { reason: required(text(200)) },
};

const MAX_DEPTH = 20;
const MAX_KEYS = 200;

/**
 * Reads what a server sent.
 * @param {string} data
 * @returns {ServerMessage}
 * @throws {VoiceError} `invalid_json`, `unknown_type`, `missing_field` or `invalid_field`; `param` names the field
 */
export function parse(data) {
  return /** @type {ServerMessage} */ (checked(fromJson(data), SERVER));
}

/**
 * Reads what a client sent, for a server or a test.
 * @param {string} data
 * @returns {ClientMessage}
 * @throws {VoiceError} as `parse` does
 */
export function parseClient(data) {
  const values = fromJson(data);
  checkSize(values);
  return /** @type {ClientMessage} */ (checked(values, CLIENT));
}

/**
 * Writes what a client sends; a value the server would refuse is refused here.
 * @param {ClientMessage} message
 * @throws {VoiceError} `unknown_type`, `missing_field` or `invalid_field`
 */
export function serialize(message) {
  return JSON.stringify(checked({ ...message }, CLIENT));
}

/** @param {string} data */
function fromJson(data) {
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    throw new VoiceError("invalid_json", "the message is not valid JSON");
  }
  if (!isObject(value)) throw new VoiceError("invalid_json", "the message must be a JSON object");
  return value;
}

/** @param {Record<string, unknown>} values @param {Record<string, import("./rules.js").Shape>} kinds */
function checked(values, kinds) {
  const { type } = values;
  if (type === undefined || type === null) throw new VoiceError("missing_field", "the message has no 'type'", { param: "type" });
  if (typeof type !== "string" || !Object.hasOwn(kinds, type)) {
    throw new VoiceError("unknown_type", `unknown message type; known: ${Object.keys(kinds).join(", ")}`, { param: "type" });
  }
  try {
    return { type, ...read(kinds[type], values) };
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    const { expected, where } = refused;
    const wanted = expected ? `must be ${expected}` : "is missing";
    throw new VoiceError(expected ? "invalid_field" : "missing_field", `'${where}' of ${type} ${wanted}`, { param: where });
  }
}

/** Refuses values nested deeper or holding more keys than any message of a client could. @param {unknown} value */
function checkSize(value) {
  let level = [value];
  let keys = 0;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    for (const each of level) keys += isObject(each) ? Object.keys(each).length : 0;
    if (keys > MAX_KEYS) throw new VoiceError("invalid_json", `the message has more than ${MAX_KEYS} keys`);
    level = level.flatMap((each) => Object.values(/** @type {object} */ (each)).filter((inner) => typeof inner === "object" && inner !== null));
    if (level.length === 0) return;
  }
  throw new VoiceError("invalid_json", `the message is nested deeper than ${MAX_DEPTH} levels`);
}
