// A queue of signed 16-bit samples that arrive in pieces of any length and leave one at a time.
//
// Pieces are kept as they came: nothing is copied, and a minute of speech at 24 kHz takes 2.9 MB. Used by the
// playback buffer only; it knows nothing of time or rates.

export class SampleQueue {
  /** @type {Int16Array[]} */
  #pieces = [];
  /** Index of the first piece not wholly read. Read pieces are dropped in batches, so that reading stays O(1). */
  #first = 0;
  #offset = 0;
  #length = 0;

  /** Samples that wait. */
  get length() {
    return this.#length;
  }

  /** @param {Int16Array} samples taken over, not copied */
  push(samples) {
    if (samples.length === 0) return;
    this.#pieces.push(samples);
    this.#length += samples.length;
  }

  /** The next sample, nominally within -1..1; 0 when the queue is empty. */
  shift() {
    if (this.#length === 0) return 0;
    const piece = this.#pieces[this.#first];
    const sample = piece[this.#offset] / 32768;
    this.#offset += 1;
    this.#length -= 1;
    if (this.#offset === piece.length) this.#dropFirst();
    return sample;
  }

  #dropFirst() {
    this.#first += 1;
    this.#offset = 0;
    if (this.#first < 64 && this.#length > 0) return;
    this.#pieces.splice(0, this.#first);
    this.#first = 0;
  }
}
