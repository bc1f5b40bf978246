// Whether a microphone hears more than its room: a level beside the quietest of the last seconds. Pure.

const LEAST = 0.006;
const TIMES = 3;
/** How fast the room is believed to have become louder, for each level. */
const RISE = 1.01;

export class Loudness {
  #floor = 0.01;

  /** @param {number} level 0..1, some twenty times a second @returns {boolean} */
  isLoud(level) {
    this.#floor = level < this.#floor ? level : Math.max(1e-4, this.#floor * RISE);
    return level > Math.max(LEAST, TIMES * this.#floor);
  }
}
