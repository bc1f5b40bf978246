// One text over the HTTP route, played while it downloads.
//
// For a button that reads something out: no session, no words, no text that grows. `VoiceClient` does those.

import { Emitter } from "./emitter.js";
import { VoiceError } from "./errors.js";
import { PcmDecoder } from "./sound/pcm.js";
import { AudioPlayer } from "./sound/player.js";

/**
 * @typedef {object} SpeechRequest
 * @property {string} input the text
 * @property {string} [voice]
 * @property {string} [model]
 * @property {number} [speed] 0.25..4
 * @property {string} [apiKey]
 * @property {Record<string, unknown>} [fields] more fields of the route: language, seed...
 * @property {AudioContext} [context] to play in; made where absent
 * @property {(listener: import("./sound/border.js").PlayerListener) => import("./sound/border.js").Player} [createPlayer]
 *
 * @typedef {{type: "audio-start", firstAudioMs: number}} SpeechStartEvent
 * @typedef {{type: "done", status: "completed" | "cancelled" | "failed", playedMs: number, error: VoiceError | null}} SpeechDoneEvent
 * @typedef {{type: "metrics", firstAudioMs: number | null} & Omit<import("./sound/playback_buffer.js").PlaybackReport, "generation">} SpeechMetricsEvent
 * @typedef {SpeechStartEvent | SpeechDoneEvent | SpeechMetricsEvent | import("./client.js").LevelEvent
 *   | import("./sound/border.js").NeedsGestureEvent} SpeechEvent
 */

const DEFAULT_RATE_HZ = 24_000;
/** The download waits while so much is buffered; the server then computes for others. */
const AHEAD_MS = 30_000;

/**
 * Speaks a text. Call it in a click or key handler.
 * @param {string | URL} url of the route, `/v1/audio/speech` of some server
 * @param {SpeechRequest} request
 * @returns {Speech}
 */
export function speech(url, request) {
  if (!request?.input) throw new TypeError("input must be a string that is not empty");
  return new Speech(url, request);
}

/**
 * A text being spoken.
 * @extends {Emitter<SpeechEvent>}
 */
export class Speech extends Emitter {
  #abort = new AbortController();
  #player;
  #startedAtMs = performance.now();
  /** @type {number | null} */
  #firstAudioMs = null;
  #playedMs = 0;
  #bufferedMs = 0;
  #hasBegun = false;
  #isDone = false;
  /** @type {VoiceError | null} */
  #error = null;
  /** @type {() => void} */
  #onReport = () => {};
  /** @type {(event: SpeechDoneEvent) => void} */
  #resolve = () => {};

  /** @param {string | URL} url @param {SpeechRequest} request */
  constructor(url, request) {
    super();
    const listener = (/** @type {Parameters<import("./sound/border.js").PlayerListener>[0]} */ message) => this.#hear(message);
    this.#player = request.createPlayer?.(listener) ?? new AudioPlayer(listener, request);
    /** @type {Promise<SpeechDoneEvent>} its end; never rejects: look at `status` */
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#run(url, request).catch((error) => this.#fail(toVoiceError(error)));
  }

  /** Stops the sound and the download. */
  stop() {
    this.#player.clear(0);
    this.#abort.abort();
    this.#finish("cancelled", null);
  }

  /** Lets the sound begin; to be called in a click or key handler after `needs-gesture`. */
  async resume() {
    await this.#player.resume();
  }

  /** @param {string | URL} url @param {SpeechRequest} request */
  async #run(url, request) {
    const response = await fetch(url, { ...toFetch(request), signal: this.#abort.signal });
    if (!response.ok || !response.body) throw await VoiceError.fromResponse(response);
    await this.#player.ready;
    const rateHz = Number(response.headers.get("x-audio-sample-rate")) || DEFAULT_RATE_HZ;
    this.#hasBegun = true;
    this.#player.begin(0, rateHz);
    const pcm = new PcmDecoder();
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const samples = pcm.feed(part.value);
      this.#bufferedMs += (samples.length / rateHz) * 1000;
      this.#player.push(0, samples, rateHz);
      while (this.#bufferedMs > AHEAD_MS && !this.#abort.signal.aborted) await this.#nextReport();
    }
    this.#player.end(0, 0);
  }

  #nextReport() {
    /** @type {Promise<void>} */
    const next = new Promise((resolve) => {
      this.#onReport = resolve;
    });
    return next;
  }

  /** @param {Parameters<import("./sound/border.js").PlayerListener>[0]} message */
  #hear(message) {
    if (this.#isDone) return;
    if (message.type === "needs-gesture") this.emit(message);
    else if (message.type === "started") this.#start();
    else if (message.type === "drained") this.#finish(this.#error ? "failed" : "completed", this.#error);
    else if (message.type === "report") this.#report(message);
  }

  #start() {
    this.#firstAudioMs = performance.now() - this.#startedAtMs;
    this.emit({ type: "audio-start", firstAudioMs: this.#firstAudioMs });
  }

  /** @param {import("./sound/player_core.js").PlayerReport} report */
  #report({ type: _, level, generation: __, ...report }) {
    this.#playedMs = report.playedMs;
    this.#bufferedMs = report.bufferedMs;
    this.emit({ type: "level", level });
    this.emit({ type: "metrics", firstAudioMs: this.#firstAudioMs, ...report });
    this.#onReport();
  }

  /** What has come is heard to its end first. @param {VoiceError} error */
  #fail(error) {
    this.#error = error;
    if (this.#hasBegun) this.#player.end(0, 0);
    else this.#finish("failed", error);
  }

  /** @param {"completed" | "cancelled" | "failed"} status @param {VoiceError | null} error */
  #finish(status, error) {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onReport();
    /** @type {SpeechDoneEvent} */
    const event = { type: "done", status, playedMs: this.#playedMs, error };
    this.#resolve(event);
    this.emit(event);
    void this.#player.close();
  }
}

/** @param {SpeechRequest} request @returns {RequestInit} */
function toFetch({ input, voice, model = "tts-1", speed, apiKey, fields }) {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify({ ...fields, input, model, voice, speed, response_format: "pcm" }),
  };
}

/** @param {unknown} cause */
function toVoiceError(cause) {
  if (cause instanceof VoiceError) return cause;
  return new VoiceError("connection_lost", "the connection broke before the speech was whole", { cause });
}
