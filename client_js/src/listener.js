// Listener: the microphone's sound out, words in, while somebody speaks.
//
//   off -> starting -> listening -> finishing -> off
//
// Each `start` opens a connection of its own. What is said is told as `partial`, which may change anywhere, and once as
// `final`. A change of microphone is lived through; one that goes and leaves no other, like a connection that is lost,
// ends the listening: the program decides whether to begin again.

import { Emitter } from "./emitter.js";
import { VoiceError } from "./errors.js";
import { Recorder } from "./sound/recorder.js";
import { SUBPROTOCOL } from "./wire/messages.js";
import { WebSocketTransport } from "./wire/websocket.js";

/**
 * @typedef {"off" | "starting" | "listening" | "finishing"} ListenerState
 *
 * @typedef {object} ListenerOptions
 * @property {string | URL} [url] of the server; the page's own by default
 * @property {string} [model]
 * @property {string} [language] code or name of what is spoken; detected by default
 * @property {boolean} [translate] into English
 * @property {string} [prompt] names and spelling that are likely
 * @property {string[]} [keywords] words that are likely
 * @property {boolean} [partials] tell also what seems to be said so far; true by default
 * @property {boolean} [words] with the times of every word
 * @property {number} [silenceMs] silence that ends a segment; 200 by default
 * @property {string | (() => string | Promise<string>)} [token] short-lived token, or how to get one for each connection
 * @property {MediaStream} [stream] to listen to instead of the microphone
 * @property {AudioContext} [context] to capture in; made where absent
 * @property {(onSamples: import("./sound/recorder.js").OnSamples, onLost: (error: VoiceError) => void) => RecorderPort} [createRecorder]
 *   where sound comes from, for tests
 * @property {() => Promise<import("./wire/connection.js").Transport & {send: (data: string | Int16Array) => void}>} [createTransport]
 *   what carries it, for tests
 *
 * @typedef {{open: () => Promise<void>, close: () => Promise<void>}} RecorderPort
 *
 * @typedef {{text: string, startMs: number, endMs: number}} HeardWord
 * @typedef {{type: "state", state: ListenerState}} ListenerStateEvent
 * @typedef {{type: "speech-started", segment: number, startMs: number}} SpeechStartedEvent
 * @typedef {{type: "speech-stopped", segment: number, endMs: number}} SpeechStoppedEvent
 * @typedef {{type: "partial", segment: number, text: string, startMs: number, endMs: number, words: HeardWord[]}} PartialEvent
 * @typedef {{type: "final", segment: number, text: string, language: string, startMs: number, endMs: number, words: HeardWord[]}} FinalEvent
 * @typedef {{type: "level", level: number}} InputLevelEvent root mean square of the last 40 ms, 0..1
 * @typedef {{type: "error", error: VoiceError}} ListenerErrorEvent
 * @typedef {{type: "done", text: string}} ListenerDoneEvent all final texts together; exactly one for each start
 * @typedef {ListenerStateEvent | SpeechStartedEvent | SpeechStoppedEvent | PartialEvent | FinalEvent | InputLevelEvent
 *   | ListenerErrorEvent | ListenerDoneEvent} ListenerEvent
 */

/** A server that was told that no more comes answers within this long. */
const FINISH_TIMEOUT_MS = 15_000;

/** @extends {Emitter<ListenerEvent>} */
export class Listener extends Emitter {
  #options;
  /** @type {ListenerState} */
  #state = "off";
  /** @type {(import("./wire/connection.js").Transport & {send: (data: string | Int16Array) => void}) | null} */
  #transport = null;
  /** @type {RecorderPort | null} */
  #recorder = null;
  /** @type {string[]} */
  #texts = [];
  /** @type {(event: ListenerDoneEvent) => void} */
  #resolve = () => {};
  /** @type {Promise<ListenerDoneEvent> | null} */
  #done = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {ListenerOptions} [options] */
  constructor(options = {}) {
    super();
    const base = options.url ?? globalThis.location?.origin;
    if (!base) throw new TypeError("url is required outside of a page");
    /** Where the server is. */
    this.url = new URL(String(base).replace(/\/?$/, "/"));
    if (!["http:", "https:"].includes(this.url.protocol)) throw new TypeError("url must begin with http or https");
    this.#options = options;
  }

  /** @returns {ListenerState} */
  get state() {
    return this.#state;
  }

  /**
   * Begins to listen. Call it in a click or key handler, so that the browser asks for the microphone.
   * @throws {VoiceError} `microphone_denied`, `microphone_missing`, `connection_failed` and others
   */
  async start() {
    if (this.#state !== "off") return;
    this.#become("starting");
    this.#texts = [];
    this.#done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    try {
      const onSamples = (/** @type {Int16Array} */ samples, /** @type {number} */ level) => this.#record(samples, level);
      const onLost = (/** @type {VoiceError} */ error) => this.#deaf(error);
      this.#recorder = this.#options.createRecorder?.(onSamples, onLost) ?? new Recorder(onSamples, { ...this.#options, onLost });
      this.#transport = (await this.#options.createTransport?.()) ?? (await this.#createTransport());
      await this.#transport.open({
        onMessage: (data) => this.#receive(data),
        onAudio: () => {},
        onClose: ({ reason }) => this.#lost(reason),
      });
      this.#send({ type: "session.config", encoding: "pcm", sample_rate: 16_000, ...this.#config() });
      await this.#recorder.open();
      if (this.state === "starting") this.#become("listening"); // it may have been closed meanwhile
    } catch (cause) {
      await this.#end();
      throw cause instanceof VoiceError ? cause : new VoiceError("connection_failed", "the server could not be reached", { cause });
    }
  }

  /** Hears at once what was said so far, without waiting for silence. */
  flush() {
    if (this.#state === "listening") this.#send({ type: "input.flush" });
  }

  /** Stops recording and waits for the last words. @returns {Promise<string>} everything that was heard */
  async stop() {
    const done = this.#done;
    if (this.#state === "listening") {
      this.#become("finishing");
      await this.#recorder?.close();
      this.#send({ type: "input.done" });
      this.#timer = setTimeout(() => this.#lost("the server did not answer"), FINISH_TIMEOUT_MS);
    }
    return done ? (await done).text : "";
  }

  /** Stops at once; what is still to be heard is lost. */
  async close() {
    await this.#end();
  }

  async #createTransport() {
    const { token } = this.#options;
    const current = typeof token === "function" ? await token() : token;
    const protocols = current ? [SUBPROTOCOL, `vivavoce.token.${current}`] : [SUBPROTOCOL];
    return new WebSocketTransport({ url: this.url, path: "v1/audio/transcriptions/stream", protocols });
  }

  #config() {
    const { model, language, translate, prompt, keywords, partials, words, silenceMs } = this.#options;
    return { model, language, task: translate ? "translate" : undefined, prompt, keywords, partials, words, silence_ms: silenceMs };
  }

  /** @param {Int16Array} samples @param {number} level */
  #record(samples, level) {
    if (this.#state === "off") return;
    this.#transport?.send(samples);
    this.emit({ type: "level", level });
  }

  /** @param {object} message */
  #send(message) {
    this.#transport?.send(JSON.stringify(message));
  }

  /** @param {string} data */
  #receive(data) {
    const message = readable(data);
    const { segment, start_ms: startMs, end_ms: endMs } = message;
    if (message.type === "speech.started") this.emit({ type: "speech-started", segment, startMs });
    else if (message.type === "speech.stopped") this.emit({ type: "speech-stopped", segment, endMs });
    else if (message.type === "transcript.partial") {
      this.emit({ type: "partial", segment, text: message.text, startMs, endMs, words: words(message) });
    } else if (message.type === "transcript.final") {
      if (message.text) this.#texts.push(message.text);
      this.emit({ type: "final", segment, text: message.text, language: message.language, startMs, endMs, words: words(message) });
    } else if (message.type === "error") {
      const { code, message: sentence, param } = message.error;
      this.emit({ type: "error", error: new VoiceError(code, sentence, { param }) });
    } else if (message.type === "session.done") void this.#end();
  }

  /** The microphone has gone, and there is no other: what was said so far is heard to its end. @param {VoiceError} error */
  #deaf(error) {
    if (this.#state === "off") return;
    this.emit({ type: "error", error });
    if (this.#state === "starting") void this.#end();
    else void this.stop();
  }

  /** @param {string} reason */
  #lost(reason) {
    if (this.#state === "off" || this.#state === "starting") return;
    this.emit({ type: "error", error: new VoiceError("connection_lost", `the connection was lost${reason ? `: ${reason}` : ""}`) });
    void this.#end();
  }

  async #end() {
    clearTimeout(this.#timer);
    if (this.#state === "off") return;
    const [recorder, transport] = [this.#recorder, this.#transport];
    this.#recorder = this.#transport = null;
    this.#become("off");
    transport?.close();
    await recorder?.close();
    /** @type {ListenerDoneEvent} */
    const event = { type: "done", text: this.#texts.join(" ") };
    this.#resolve(event);
    this.emit(event);
  }

  /** @param {ListenerState} state */
  #become(state) {
    this.#state = state;
    this.emit({ type: "state", state });
  }
}

/** @param {string} data @returns {any} what a server of another version sends is no message */
function readable(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

/** @param {any} message @returns {HeardWord[]} */
function words(message) {
  return (message.words ?? []).map((/** @type {any} */ word) => ({ text: word.text, startMs: word.start_ms, endMs: word.end_ms }));
}
