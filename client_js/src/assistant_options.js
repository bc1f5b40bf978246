// How an assistant is set up, what of it the server is told, and what it tells its page. Pure. Used by assistant.js.

import { REALTIME_RATE_HZ } from "./wire/realtime_events.js";

/**
 * @typedef {object} Tool a function that the assistant may call
 * @property {string} name
 * @property {string} [description] when to call it, for the chat model
 * @property {Record<string, unknown>} [parameters] JSON Schema of its arguments
 * @property {(args: any) => unknown} [run] does it; what it returns goes to the chat model. Without it, answer the
 *   `functioncall` event with `answer`
 *
 * @typedef {object} AssistantSettings what may change while it talks
 * @property {string} [instructions] for the chat model
 * @property {string} [voice] id, or `id/Style`; the server's default where absent
 * @property {number} [speed] 0.25..1.5
 * @property {Tool[]} [tools]
 * @property {Record<string, unknown> | null} [turnDetection] as OpenAI Realtime has it; by default by silence and by
 *   what is said (`semantic_vad`)
 * @property {Record<string, unknown>} [transcription] of what the user says: model, language
 *
 * @typedef {AssistantSettings & {
 *   url?: string | URL,
 *   transport?: "webrtc" | "websocket",
 *   model?: string,
 *   token?: string | (() => string | Promise<string>),
 *   context?: AudioContext,
 *   buffer?: Partial<import("./sound/playback_buffer.js").PlaybackOptions>,
 *   backoff?: Partial<import("./wire/backoff.js").BackoffOptions>,
 *   answerTimeoutMs?: number,
 *   createPlayer?: (listener: import("./sound/border.js").PlayerListener) => Player,
 *   createTransport?: () => Promise<Carrier>,
 *   life?: import("./page_life.js").PageLifePorts,
 * }} AssistantOptions `url`: of the server, the page's own by default. `transport`: a call by default, whose echo canceller
 *   hears what it plays. `model`: who answers, as the server names it. `token`: a client secret, or how to get one for each
 *   connection. `answerTimeoutMs`: longest silence of a server that owes an answer. `life`: for tests
 *
 * @typedef {import("./sound/border.js").Player} Player
 * @typedef {import("./wire/connection.js").Transport & {
 *   waitingBytes?: number, replaceMicrophone?: (track: MediaStreamTrack | null) => Promise<void>}} Carrier
 *
 * @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking"} AssistantState
 * @typedef {{type: "state", state: AssistantState, previous: AssistantState, isUserSpeaking: boolean}} AssistantStateEvent
 * @typedef {{type: "level", who: "user" | "assistant", level: number}} AssistantLevelEvent
 * @typedef {{type: "microphone", isOpen: boolean}} MicrophoneEvent it has gone, and is waited for; or it is there again
 * @typedef {{type: "slept", ms: number}} SleptEvent the page stood still: what was being said is cut where it was last
 *   heard, and the connection opened anew
 * @typedef {import("./conversation.js").ConversationEvent | AssistantStateEvent | AssistantLevelEvent | MicrophoneEvent
 *   | SleptEvent | import("./sound/border.js").NeedsGestureEvent} AssistantEvent
 */

/** What of the options may change while it talks. @param {AssistantOptions} options @returns {AssistantSettings} */
export function settingsOf({ instructions, voice, speed, tools, turnDetection, transcription }) {
  return { instructions, voice, speed, tools, turnDetection, transcription };
}

/** The `session` of OpenAI's Realtime protocol. @param {AssistantSettings} settings */
export function sessionOf({ instructions, voice, speed, tools, turnDetection, transcription = {} }) {
  const detection = turnDetection === undefined ? { type: "semantic_vad" } : turnDetection;
  const format = { type: "audio/pcm", rate: REALTIME_RATE_HZ };
  return {
    type: "realtime",
    output_modalities: ["audio"],
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools ? { tools: tools.map(({ run: _, ...tool }) => ({ type: "function", ...tool })) } : {}),
    audio: {
      input: { format, turn_detection: detection, transcription },
      output: { format, ...(voice ? { voice } : {}), ...(speed ? { speed } : {}) },
    },
    vivavoce: { events: ["words", "metrics"] },
  };
}
