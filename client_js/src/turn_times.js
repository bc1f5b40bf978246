// What a turn took: from the end of the user's speech to the words, the first of the answer's, and its first sound.
//
// Pure: moments come in as arguments. Used by conversation.js.

/**
 * @typedef {object} TurnMetrics milliseconds from the end of the user's speech, or from what was written; null: not yet
 * @property {number} turn counts up from 0
 * @property {"speech" | "text"} by
 * @property {number | null} certainMs it was certain that the user had finished
 * @property {number | null} wordsMs the user's words were understood
 * @property {number | null} thoughtMs the first words of the answer were there
 * @property {number | null} soundMs the first sample was heard
 */

export class TurnTimes {
  #turn;
  #by;
  #startedAt;
  /** @type {Map<"certain" | "words" | "thought" | "sound", number>} */
  #marks = new Map();

  /** @param {number} turn @param {"speech" | "text"} by @param {number} startedAt the end of the speech */
  constructor(turn, by, startedAt) {
    this.#turn = turn;
    this.#by = by;
    this.#startedAt = startedAt;
  }

  /** The first time counts. @param {"certain" | "words" | "thought" | "sound"} name @param {number} now @returns {boolean} whether it is news */
  mark(name, now) {
    if (this.#marks.has(name)) return false;
    this.#marks.set(name, Math.max(0, Math.round(now - this.#startedAt)));
    return true;
  }

  /** @returns {TurnMetrics} */
  get metrics() {
    const at = (/** @type {"certain" | "words" | "thought" | "sound"} */ name) => this.#marks.get(name) ?? null;
    return { turn: this.#turn, by: this.#by, certainMs: at("certain"), wordsMs: at("words"), thoughtMs: at("thought"), soundMs: at("sound") };
  }
}
