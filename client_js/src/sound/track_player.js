// Plays the track of a call through an audio element, and tells how far it has come.
//
// The element, not Web Audio, makes the sound: only there do all browsers hand it to the echo canceller. Web Audio gets
// a copy, for the level and for whoever taps `output`.

import { TrackClock } from "./track_clock.js";

/** @typedef {import("./border.js").PlayerListener} PlayerListener */

const TICK_MS = 50;
const STATISTICS_EVERY = 5;

export class TrackPlayer {
  #listener;
  #context;
  #ownsContext;
  #analyser;
  #samples;
  #element = new Audio();
  #clock = new TrackClock();
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #ticks = 0;
  #network = { bufferedMs: 0, targetMs: 0, events: 0, concealedMs: 0, delayMs: 0, emitted: 0 };
  #underruns = { underruns: 0, underrunMs: 0 };

  /**
   * Call it in a click or key handler: browsers let sound begin only there.
   * @param {PlayerListener} listener
   * @param {{context?: AudioContext}} [options]
   */
  constructor(listener, { context } = {}) {
    this.#listener = listener;
    this.#context = context ?? new AudioContext();
    this.#ownsContext = !context;
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 2048;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    /** A copy of what is played; it goes nowhere by itself. */
    this.output = this.#context.createGain();
    this.output.connect(this.#analyser);
    this.#element.autoplay = true;
    this.ready = Promise.resolve();
  }

  /** The sound of a call has come. @param {MediaStream} stream @param {RTCPeerConnection} peer */
  attach(stream, peer) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.output);
    this.#peer = peer;
    this.#element.srcObject = stream;
    void this.resume();
  }

  async resume() {
    if (this.#context.state === "suspended") void this.#context.resume().catch(() => {});
    if (!this.#element.srcObject) return;
    await this.#element.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#listener({ type: "needs-gesture" });
    });
  }

  /** @param {number} generation */
  begin(generation) {
    this.#element.muted = false;
    this.#clock.reach(generation, 0, performance.now());
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Samples never come this way. */
  push() {}

  /** @param {number} generation @param {number} startMs */
  reach(generation, startMs) {
    this.#clock.reach(generation, startMs, performance.now());
  }

  /** The track is silent meanwhile. */
  rest() {}

  /** @param {number} generation @param {number} durationMs */
  end(generation, durationMs) {
    this.#clock.end(generation, durationMs);
  }

  /** Silences what is on its way, too; the server fades its end of the track. @param {number} generation */
  clear(generation) {
    this.#element.muted = true;
    this.#clock.clear(generation);
  }

  async close() {
    clearInterval(this.#timer);
    this.#element.srcObject = null;
    this.#source?.disconnect();
    if (this.#ownsContext && this.#context.state !== "closed") await this.#context.close();
  }

  #tick() {
    this.#ticks += 1;
    if (this.#ticks % STATISTICS_EVERY === 0) void this.#readStatistics();
    const { generation, playedMs, events } = this.#clock.advance(performance.now());
    for (const event of events) if (event.type === "started") this.#listener(event);
    this.#listener({ type: "report", level: this.#level(), ...this.#report(generation, playedMs) });
    for (const event of events) if (event.type !== "started") this.#listener(event);
    if (!this.#clock.isIdle) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param {number} generation @param {number} playedMs @returns {import("./playback_buffer.js").PlaybackReport} */
  #report(generation, playedMs) {
    const { bufferedMs, targetMs } = this.#network;
    const state = this.#clock.isIdle ? "idle" : "playing";
    return { state, generation, playedMs, bufferedMs, targetMs, ...this.#underruns, pauses: 0, pauseMs: 0, refusedMs: 0 };
  }

  #level() {
    if (this.#element.muted) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }

  /** What the browser had to invent while there was speech is what a listener misses. */
  async #readStatistics() {
    const statistics = [...((await this.#peer?.getStats())?.values() ?? [])];
    const inbound = statistics.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
    if (!inbound) return;
    const pair = statistics.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
    const before = this.#network;
    const emitted = inbound.jitterBufferEmittedCount - before.emitted;
    const delayMs = inbound.jitterBufferDelay * 1000;
    const concealedMs = (inbound.concealedSamples - inbound.silentConcealedSamples) / 48;
    this.#network = {
      bufferedMs: emitted > 0 ? (delayMs - before.delayMs) / emitted : before.bufferedMs,
      targetMs: inbound.jitterBufferTargetDelay ? (inbound.jitterBufferTargetDelay * 1000) / inbound.jitterBufferEmittedCount : 0,
      events: inbound.concealmentEvents,
      concealedMs,
      delayMs,
      emitted: inbound.jitterBufferEmittedCount,
    };
    if (concealedMs > before.concealedMs && before.emitted > 0) {
      this.#underruns.underruns += inbound.concealmentEvents - before.events;
      this.#underruns.underrunMs += concealedMs - before.concealedMs;
    }
    this.#clock.delayMs = this.#network.bufferedMs + ((pair?.currentRoundTripTime ?? 0) * 1000) / 2;
  }
}
