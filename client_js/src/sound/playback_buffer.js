// The jitter buffer between a network and a sound card: when to start, when to wait, what to fade, what was heard.
//
// Pure: no clock, no DOM. The audio thread calls `pull` for every block; time is counted in the samples it asks for.
// Sound is held per generation (one utterance); generations play one after another, in the order they came.
// Speech arrives faster than real time and is never dropped to catch up: the bound is ten minutes.
//
//   idle -> filling    the first samples of a generation came
//   filling -> playing enough is buffered, or all of it is here
//   playing -> filling it ran dry (an underrun), or a pause in the speech was used to refill before it did
//   playing -> idle    every sample of every generation has been played
//
// Used by worklets/player_worklet.js, and by `node --test`.

import { Resampler } from "./resampler.js";
import { SampleQueue } from "./sample_queue.js";

/**
 * @typedef {object} PlaybackOptions
 * @property {number} startMs sound buffered before the first sample plays; the target returns to it in calm times
 * @property {number} stepMs added to the target after each underrun
 * @property {number} maxTargetMs where the target stops growing: more would be felt as a slow answer
 * @property {number} decayMsPerS taken off the target for every second that plays without trouble
 * @property {number} fadeMs ramp down to an underrun and up from it: long enough not to click, too short to be heard
 * @property {number} clearFadeMs ramp down when the listener stops the speech
 * @property {number} quietLevel peak below which a block counts as a pause in the speech, 0..1
 * @property {number} quietMs how long it must have been quiet before the pause may be lengthened
 * @property {number} refillBelow share of the target under which a pause is used to refill, 0..1
 * @property {number} pauseMs how long a pause in the speech is lengthened to gather more than the target
 * @property {number} maxPauseMs a lengthened pause beyond this is counted as an underrun: a listener notices
 * @property {number} maxHeldMs sound held at most; what comes beyond it is refused and counted
 */

/** Chosen with benchmarks/playback_buffer.mjs; the numbers stand in docs/client.md. @type {Readonly<PlaybackOptions>} */
export const PLAYBACK_DEFAULTS = Object.freeze({
  startMs: 70,
  stepMs: 20,
  maxTargetMs: 300,
  decayMsPerS: 2,
  fadeMs: 4,
  clearFadeMs: 5,
  quietLevel: 0.006,
  quietMs: 15,
  refillBelow: 0.6,
  pauseMs: 300,
  maxPauseMs: 400,
  maxHeldMs: 600_000,
});

/** @typedef {"idle" | "filling" | "playing"} PlaybackState */

/**
 * @typedef {object} PlaybackReport
 * @property {PlaybackState} state
 * @property {number} generation the one being played, or the last one played; -1 before the first
 * @property {number} playedMs of that generation, in its own time
 * @property {number} bufferedMs waiting, all generations together
 * @property {number} targetMs buffered before playing starts or goes on
 * @property {number} underruns times the sound stopped inside an utterance, since the buffer was made
 * @property {number} underrunMs silence heard because of them
 * @property {number} pauses times a pause in the speech was lengthened to refill
 * @property {number} pauseMs silence added that way
 * @property {number} refusedMs sound refused because the buffer was full
 */

/** @typedef {{type: "started" | "drained" | "cleared", generation: number, playedMs: number}} PlaybackEvent */

/**
 * @typedef {object} Segment one generation's sound
 * @property {number} generation
 * @property {SampleQueue} queue
 * @property {Resampler} resampler
 * @property {number} rateHz of the samples as they came
 * @property {boolean} ended no more will come
 * @property {boolean} resting no more is due until it comes
 * @property {number} played outputs made so far
 */

export class PlaybackBuffer {
  #rateHz;
  /** @type {PlaybackOptions} */
  #options;
  /** @type {Segment[]} */
  #segments = [];
  /** @type {PlaybackState} */
  #state = "idle";
  #targetMs;
  #gain = 0;
  #quiet = 0;
  /** Why it is filling, and the outputs of silence since; null while a generation waits for its first sample. */
  #wait = /** @type {{reason: "underrun" | "pause" | "rest", silence: number} | null} */ (null);
  /** Generations up to this one were cleared: what still comes of them is ignored. */
  #cleared = -1;
  /** The last few milliseconds of what was cleared, fading. */
  #tail = new Float32Array(0);
  /** @type {PlaybackEvent[]} */
  #events = [];
  #last = { generation: -1, playedMs: 0 };
  #counts = { underruns: 0, underrunMs: 0, pauses: 0, pauseMs: 0, refusedMs: 0 };

  /**
   * @param {number} outputRateHz of the sound card
   * @param {Partial<PlaybackOptions>} [options]
   */
  constructor(outputRateHz, options = {}) {
    this.#rateHz = outputRateHz;
    this.#options = { ...PLAYBACK_DEFAULTS, ...options };
    this.#targetMs = this.#options.startMs;
  }

  /**
   * Adds sound to a generation, making it if it is new.
   * @param {number} generation greater than every one before it, or the newest one
   * @param {Int16Array} samples mono; taken over, not copied
   * @param {number} rateHz the same for all samples of a generation
   */
  push(generation, samples, rateHz) {
    if (generation <= this.#cleared || samples.length === 0) return;
    const ms = (samples.length / rateHz) * 1000;
    if (this.#bufferedMs() + ms > this.#options.maxHeldMs) {
      this.#counts.refusedMs += ms;
      return;
    }
    const segment = this.#segment(generation, rateHz);
    segment.queue.push(samples);
    segment.resting = false;
    if (this.#state === "idle") this.#state = "filling";
  }

  /** Nothing more is due for now, as the text itself waits to be written: running dry is no underrun. @param {number} generation */
  rest(generation) {
    const segment = this.#segments.find((each) => each.generation === generation);
    if (segment) segment.resting = true;
  }

  /** No more sound of this generation will come: what is there plays, even below the target. @param {number} generation */
  end(generation) {
    const segment = this.#segments.find((each) => each.generation === generation);
    if (segment) segment.ended = true;
    else if (generation > this.#cleared) this.#events.push({ type: "drained", generation, playedMs: 0 }); // it had no sound
  }

  /** Fades out and forgets this generation and all before it, now and for what still comes. @param {number} generation */
  clear(generation) {
    this.#cleared = Math.max(this.#cleared, generation);
    const playing = this.#segments[0];
    if (!playing || playing.generation > generation) return;
    if (this.#state === "playing") this.#tail = this.#renderTail(playing);
    for (const segment of this.#segments) {
      if (segment.generation > generation) break;
      this.#leave(segment, "cleared");
    }
    this.#segments = this.#segments.filter((segment) => segment.generation > generation);
    this.#toNext();
  }

  /**
   * Fills the block with sound, or with silence where there is none.
   * @param {Float32Array} output mono, at the output rate
   */
  pull(output) {
    output.fill(0);
    let at = this.#pullTail(output);
    while (at < output.length && this.#segments.length > 0) {
      const segment = this.#segments[0];
      if (this.#isFinished(segment)) {
        this.#leave(segment, "drained");
        this.#segments.shift();
        this.#toNext();
      } else if (this.#state === "filling") {
        if (!this.#isReady(segment)) {
          if (this.#wait) this.#wait.silence += output.length - at;
          return;
        }
        this.#start(segment);
      } else {
        at = this.#play(segment, output, at);
      }
    }
  }

  /** Where things stand; cheap. @returns {PlaybackReport} */
  report() {
    const segment = this.#segments[0];
    const place = segment && segment.played > 0 ? { generation: segment.generation, playedMs: this.#playedMs(segment) } : this.#last;
    return { state: this.#state, ...place, bufferedMs: this.#bufferedMs(), targetMs: this.#targetMs, ...this.#counts };
  }

  /** What happened since the last call, in order. */
  takeEvents() {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  // -- playing ----------------------------------------------------------------------------------------------------

  /**
   * @param {Segment} segment
   * @param {Float32Array} output
   * @param {number} from
   * @returns {number} index after the last sample written
   */
  #play(segment, output, from) {
    const available = this.#available(segment);
    const count = Math.min(output.length - from, available);
    const peak = this.#render(segment, output, from, count, available);
    this.#calmDown(count);
    if (!segment.ended && available === count) {
      this.#stop(segment.resting ? "rest" : "underrun", output.length - from - count);
      return output.length;
    }
    this.#quiet = peak < this.#options.quietLevel ? this.#quiet + count : 0;
    if (this.#shouldRefill(segment)) this.#stop("pause", 0);
    return from + count;
  }

  /**
   * Writes `count` samples. The gain never rises faster than one fade, and never stands higher than what is left can
   * come down from, so an underrun ends in silence and not in a step.
   * @param {Segment} segment
   * @param {Float32Array} output
   * @param {number} from
   * @param {number} count
   * @param {number} available outputs left, `count` included
   * @returns {number} peak before the gain
   */
  #render(segment, output, from, count, available) {
    const slope = 1 / this.#samples(this.#options.fadeMs);
    let peak = 0;
    for (let i = 0; i < count; i += 1) {
      const sample = segment.resampler.next(segment.queue);
      peak = Math.max(peak, Math.abs(sample));
      this.#gain = Math.min(1, this.#gain + slope, (available - i) * slope);
      output[from + i] = sample * this.#gain;
    }
    segment.played += count;
    return peak;
  }

  /** @param {Segment} segment */
  #start(segment) {
    this.#state = "playing";
    this.#gain = 0;
    this.#quiet = this.#wait?.reason === "pause" ? -Infinity : 0; // each pause is lengthened once
    const hasMore = segment.queue.length > 0; // else only the resampler's last inputs are left: the utterance ended in the wait
    if (this.#wait && hasMore) this.#settle(this.#wait);
    else if (!this.#wait) this.#events.push({ type: "started", generation: segment.generation, playedMs: 0 });
    this.#wait = null;
  }

  /** Counts a wait once it is over: only then is it known that the utterance went on. @param {{reason: "underrun" | "pause" | "rest", silence: number}} wait */
  #settle(wait) {
    if (wait.reason === "rest") return;
    const ms = (wait.silence / this.#rateHz) * 1000;
    const isHidden = wait.reason === "pause" && ms <= this.#options.maxPauseMs;
    this.#counts[isHidden ? "pauses" : "underruns"] += 1;
    this.#counts[isHidden ? "pauseMs" : "underrunMs"] += ms;
    this.#targetMs = Math.min(this.#options.maxTargetMs, this.#targetMs + this.#options.stepMs);
  }

  /** @param {"underrun" | "pause" | "rest"} reason @param {number} silence outputs of it already in this block */
  #stop(reason, silence) {
    this.#state = "filling";
    this.#wait = { reason, silence };
  }

  /** @param {number} count outputs that played */
  #calmDown(count) {
    const { startMs, decayMsPerS } = this.#options;
    this.#targetMs = Math.max(startMs, this.#targetMs - (count / this.#rateHz) * decayMsPerS);
  }

  /** @param {Segment} segment */
  #shouldRefill(segment) {
    if (segment.ended || segment.resting || this.#quiet < this.#samples(this.#options.quietMs)) return false;
    if (segment.played < this.#samples(2 * this.#targetMs)) return false; // silence before the first word is no pause
    return this.#available(segment) < this.#samples(this.#isTroubled ? this.#refillMs : this.#targetMs * this.#options.refillBelow);
  }

  /** It has run dry lately: sound comes slower than it plays, or unsteadily. */
  get #isTroubled() {
    return this.#targetMs > this.#options.startMs;
  }

  /** How much a pause in the speech is used to gather: what is waited for there is not missed. */
  get #refillMs() {
    return this.#isTroubled ? this.#options.maxTargetMs : this.#targetMs;
  }

  // -- clearing ---------------------------------------------------------------------------------------------------

  /** @param {Segment} segment */
  #renderTail(segment) {
    const length = Math.min(this.#samples(this.#options.clearFadeMs), this.#available(segment));
    const tail = new Float32Array(length);
    this.#render(segment, tail, 0, length, this.#available(segment));
    for (let i = 0; i < length; i += 1) tail[i] *= 1 - (i + 1) / length;
    return tail;
  }

  /** @param {Float32Array} output */
  #pullTail(output) {
    if (this.#tail.length === 0) return 0;
    const count = Math.min(this.#tail.length, output.length);
    output.set(this.#tail.subarray(0, count));
    this.#tail = this.#tail.slice(count);
    return count;
  }

  // -- segments ---------------------------------------------------------------------------------------------------

  /** @param {number} generation @param {number} rateHz */
  #segment(generation, rateHz) {
    const newest = this.#segments.at(-1);
    if (newest?.generation === generation) return newest;
    const resampler = new Resampler(rateHz, this.#rateHz);
    const segment = { generation, rateHz, queue: new SampleQueue(), resampler, ended: false, resting: false, played: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** @param {Segment} segment @param {"drained" | "cleared"} type */
  #leave(segment, type) {
    this.#last = { generation: segment.generation, playedMs: this.#playedMs(segment) };
    this.#events.push({ type, ...this.#last });
  }

  #toNext() {
    this.#state = this.#segments.length > 0 ? "filling" : "idle";
    this.#wait = null; // a wait that no sound followed was the end of the utterance, not an underrun
  }

  /** @param {Segment} segment */
  #isFinished(segment) {
    return segment.ended && this.#available(segment) === 0;
  }

  /** @param {Segment} segment */
  #isReady(segment) {
    if (segment.resting && this.#available(segment) > 0) return true;
    const waitedEnough = this.#wait?.reason !== "pause" || this.#wait.silence >= this.#samples(this.#options.pauseMs);
    const wanted = waitedEnough ? this.#targetMs : this.#refillMs;
    return segment.ended || this.#available(segment) >= this.#samples(wanted);
  }

  /** Outputs that can be made of what is here. @param {Segment} segment */
  #available(segment) {
    return segment.resampler.available(segment.queue.length, segment.ended);
  }

  /** @param {Segment} segment */
  #playedMs(segment) {
    return (segment.played / this.#rateHz) * 1000;
  }

  #bufferedMs() {
    let ms = 0;
    for (const segment of this.#segments) ms += (segment.queue.length / segment.rateHz) * 1000;
    return ms;
  }

  /** @param {number} ms */
  #samples(ms) {
    return Math.round((ms / 1000) * this.#rateHz);
  }
}
