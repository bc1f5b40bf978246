// One recording over the HTTP route: its words, when they are all there.

import { VoiceError } from "./errors.js";

/**
 * @typedef {object} TranscribeOptions
 * @property {string | URL} [url] of the server; the page's own by default
 * @property {string} [model]
 * @property {string} [language] code or name of what is spoken; detected by default
 * @property {boolean} [translate] into English
 * @property {string} [prompt] names and spelling that are likely
 * @property {boolean} [words] times of every word, too
 * @property {string} [apiKey]
 * @property {AbortSignal} [signal]
 *
 * @typedef {{text: string, start: number, end: number}} TranscriptPart seconds
 * @typedef {object} TranscribedRecording
 * @property {string} text
 * @property {string} language English name: "portuguese"
 * @property {number} duration seconds
 * @property {TranscriptPart[]} segments sentences or so
 * @property {TranscriptPart[]} words empty unless asked for
 */

/**
 * Writes down what is said in a recording.
 * @param {Blob | ArrayBuffer | string | URL} recording itself, or its address
 * @param {TranscribeOptions} [options]
 * @returns {Promise<TranscribedRecording>}
 * @throws {VoiceError} as the server says, or `connection_failed`
 */
export async function transcribe(recording, options = {}) {
  const { signal, apiKey, words = false } = options;
  const form = new FormData();
  form.append("response_format", "verbose_json");
  for (const part of words ? ["segment", "word"] : ["segment"]) form.append("timestamp_granularities[]", part);
  for (const name of /** @type {const} */ (["model", "language", "prompt"])) {
    const value = options[name];
    if (value) form.append(name, value);
  }
  form.append("file", await toBlob(recording, signal), "recording");
  const route = options.translate ? "translations" : "transcriptions";
  const base = options.url ?? globalThis.location?.origin;
  if (!base) throw new TypeError("url is required outside of a page");
  const headers = apiKey ? { authorization: `Bearer ${apiKey}` } : undefined;
  const answer = await send(new URL(`v1/audio/${route}`, withSlash(base)), { method: "POST", body: form, headers, signal });
  const { text, language, duration, segments = [], words: said = [] } = await answer.json();
  return {
    text,
    language,
    duration,
    segments: segments.map((/** @type {any} */ each) => ({ text: each.text.trim(), start: each.start, end: each.end })),
    words: said.map((/** @type {any} */ each) => ({ text: each.word, start: each.start, end: each.end })),
  };
}

/** @param {Blob | ArrayBuffer | string | URL} recording @param {AbortSignal | undefined} signal @returns {Promise<Blob>} */
async function toBlob(recording, signal) {
  if (recording instanceof Blob) return recording;
  if (recording instanceof ArrayBuffer) return new Blob([recording]);
  if (typeof recording !== "string" && !(recording instanceof URL)) {
    throw new TypeError("recording must be a Blob, an ArrayBuffer or an address");
  }
  return (await send(recording, { signal })).blob();
}

/** @param {string | URL} url @param {RequestInit} init */
async function send(url, init) {
  const answer = await fetch(url, init).catch((cause) => {
    if (init.signal?.aborted) throw cause;
    throw new VoiceError("connection_failed", "the server could not be reached", { cause });
  });
  if (!answer.ok) throw await VoiceError.fromResponse(answer);
  return answer;
}

/** @param {string | URL} url */
function withSlash(url) {
  return String(url).replace(/\/?$/, "/");
}
