// The user's microphone as a stream that lives through a change of device, and how loud it is.
//
// Knows no transport: a call takes the track, a recorder the stream. Used by hearing.js.

import { SteadyStream } from "./steady_stream.js";

/**
 * @typedef {import("./steady_stream.js").StreamListener & {onLevel: (level: number) => void}} MicrophoneListener `onLevel`: root
 *   mean square of the last 20 ms or so, 0..1, every 50 ms
 */

const TICK_MS = 50;

export class Microphone {
  #listener;
  #context;
  #steady;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #analyser;
  #samples;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #isMuted = false;
  #isClosed = false;

  /** @param {MicrophoneListener} listener @param {AudioContext} context to measure in */
  constructor(listener, context) {
    this.#listener = listener;
    this.#context = context;
    this.#steady = new SteadyStream({
      onStream: (stream) => this.#take(stream),
      onLost: (error) => listener.onLost(error),
    });
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  get track() {
    return this.#steady.track;
  }

  /** Asks for it. @throws {VoiceError} `microphone_denied`, `microphone_missing`, `microphone_busy` or `microphone_failed` */
  async open() {
    await this.#steady.open();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => this.#listener.onLevel(this.#level()), TICK_MS);
  }

  /** Opens it again where its device has gone, as after a tab has slept. */
  check() {
    this.#steady.check();
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    this.#steady.mute(isMuted);
  }

  /** Frees it. */
  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = null;
    this.#steady.close();
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    this.#listener.onStream(stream);
  }

  #level() {
    if (this.#isMuted) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }
}
