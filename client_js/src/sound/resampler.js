// Band-limited conversion from the rate of the speech to the rate of the sound card, a few samples at a time.
//
// A windowed sinc (Kaiser, beta 9: stop band near -90 dB) read from a table of 512 phases with linear interpolation
// between them, after J. O. Smith, "Digital Audio Resampling". State is a short history, so the cost of every output
// sample is the same and a late burst of input cannot make the audio thread miss its deadline. Called by the playback
// buffer; it does not know what a generation or an underrun is.

/** Zero crossings of the sinc on each side: 32 keep the pass band flat to 0.9 of the lower Nyquist frequency. */
const ZERO_CROSSINGS = 32;
const PHASES = 512;
const KAISER_BETA = 9;
/** Where the pass band ends, as a share of the lower Nyquist frequency. */
const ROLL_OFF = 0.94;
/** Keeps the count below the truth when the position has gathered rounding errors; such a sample comes a pull later. */
const ROUNDING = 1e-6;

/**
 * @typedef {object} SampleSource
 * @property {number} length samples that wait
 * @property {() => number} shift takes one
 */

export class Resampler {
  #step;
  #taps;
  #half;
  /** @type {Float32Array} PHASES + 1 rows of #taps weights */
  #table;
  /** @type {Float32Array} the last #taps inputs, written twice so that every window is contiguous */
  #history;
  #newest = 0;
  /** Position between the two middle inputs of the window, 0..1. */
  #phase = 0;
  #owed;
  #padding;

  /**
   * @param {number} fromRateHz
   * @param {number} toRateHz
   */
  constructor(fromRateHz, toRateHz) {
    this.#step = fromRateHz / toRateHz;
    const cutoff = Math.min(1, toRateHz / fromRateHz) * (fromRateHz === toRateHz ? 1 : ROLL_OFF);
    this.#half = fromRateHz === toRateHz ? 1 : Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#taps = this.#half * 2;
    this.#table = sincTable(this.#half, cutoff);
    this.#history = new Float32Array(this.#taps * 2);
    this.#owed = this.#half + 1;
    this.#padding = this.#half;
  }

  /**
   * Outputs that `process` can make now.
   * @param {number} waiting samples in the source
   * @param {boolean} ended no more will come: the tail is padded with silence
   */
  available(waiting, ended) {
    const beyond = waiting + (ended ? this.#padding : 0) - this.#owed;
    if (beyond < 0) return 0;
    return Math.ceil((beyond + 1 - this.#phase) / this.#step - ROUNDING);
  }

  /**
   * Makes one output sample; the caller has asked `available` first.
   * @param {SampleSource} source
   * @returns {number} nominally within -1..1
   */
  next(source) {
    while (this.#owed > 0) this.#take(source);
    const row = this.#phase * PHASES;
    const index = Math.floor(row);
    const value = this.#dot(index) + (row - index) * (this.#dot(index + 1) - this.#dot(index));
    this.#phase += this.#step;
    while (this.#phase >= 1) {
      this.#phase -= 1;
      this.#owed += 1;
    }
    return value;
  }

  /** @param {SampleSource} source */
  #take(source) {
    if (source.length === 0) this.#padding -= 1;
    const sample = source.shift();
    this.#history[this.#newest] = sample;
    this.#history[this.#newest + this.#taps] = sample;
    this.#newest = (this.#newest + 1) % this.#taps;
    this.#owed -= 1;
  }

  /** @param {number} phaseIndex 0..PHASES */
  #dot(phaseIndex) {
    const weights = phaseIndex * this.#taps;
    let sum = 0;
    for (let i = 0; i < this.#taps; i += 1) sum += this.#history[this.#newest + i] * this.#table[weights + i];
    return sum;
  }
}

/**
 * @param {number} half inputs on each side
 * @param {number} cutoff share of the input's Nyquist frequency that passes, 0..1
 */
function sincTable(half, cutoff) {
  const taps = half * 2;
  const table = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    for (let i = 0; i < taps; i += 1) {
      const x = i - (half - 1) - phase / PHASES;
      row[i] = sinc(x * cutoff) * kaiser(x / half);
    }
    const sum = row.reduce((total, weight) => total + weight, 0);
    for (let i = 0; i < taps; i += 1) row[i] /= sum; // a constant stays that constant at every phase
  }
  return table;
}

/** @param {number} x */
function sinc(x) {
  if (Number.isInteger(x)) return x === 0 ? 1 : 0; // exactly, so that equal rates give the samples themselves
  return Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x place in the window, -1..1 */
function kaiser(x) {
  if (Math.abs(x) > 1) return 0;
  return besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of order zero, by its power series. @param {number} x */
function besselI0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
