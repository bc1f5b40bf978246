// What a microphone gives, at the rate that the server hears: blocks of signed 16-bit samples. Pure.

import { Resampler } from "./resampler.js";

/** Sound that waits for the resampler: blocks of a microphone, read one sample at a time. */
class Blocks {
  /** @type {Float32Array[]} */
  #blocks = [];
  #offset = 0;
  length = 0;

  /** @param {Float32Array} block copied; what is no number, or far too loud, is made harmless */
  push(block) {
    if (block.length === 0) return;
    this.#blocks.push(block.map((value) => Math.max(-1, Math.min(1, value || 0))));
    this.length += block.length;
  }

  shift() {
    if (this.length === 0) return 0;
    const value = this.#blocks[0][this.#offset];
    this.#offset += 1;
    this.length -= 1;
    if (this.#offset === this.#blocks[0].length) {
      this.#blocks.shift();
      this.#offset = 0;
    }
    return value;
  }
}

export class CaptureBuffer {
  #source = new Blocks();
  #resampler;
  #block;
  #filled = 0;
  #sum = 0;

  /**
   * @param {number} fromRateHz of the microphone
   * @param {number} toRateHz of what comes out
   * @param {number} blockMs length of a block
   */
  constructor(fromRateHz, toRateHz = 16_000, blockMs = 40) {
    this.#resampler = new Resampler(fromRateHz, toRateHz);
    this.#block = new Int16Array(Math.round((toRateHz * blockMs) / 1000));
  }

  /**
   * @param {Float32Array} samples as they come
   * @returns {{samples: Int16Array, level: number}[]} blocks that are full; `level`: root mean square, 0..1
   */
  push(samples) {
    this.#source.push(samples);
    return this.#take(false);
  }

  /** The end: what is left, in a block that may be shorter. @returns {{samples: Int16Array, level: number}[]} */
  flush() {
    const blocks = this.#take(true);
    if (this.#filled > 0) blocks.push(this.#full(this.#block.slice(0, this.#filled)));
    return blocks;
  }

  /** @param {boolean} ended */
  #take(ended) {
    const blocks = [];
    for (let left = this.#resampler.available(this.#source.length, ended); left > 0; left -= 1) {
      const value = Math.max(-1, Math.min(1, this.#resampler.next(this.#source)));
      this.#sum += value * value;
      this.#block[this.#filled] = Math.round(value * 32767);
      this.#filled += 1;
      if (this.#filled === this.#block.length) blocks.push(this.#full(this.#block.slice()));
    }
    return blocks;
  }

  /** @param {Int16Array} samples */
  #full(samples) {
    const level = Math.sqrt(this.#sum / samples.length);
    this.#filled = 0;
    this.#sum = 0;
    return { samples, level };
  }
}
