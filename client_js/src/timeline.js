// What of an utterance is heard when: sentences and words with their times, and where they stand in the written text.
//
// Pure: fed with what the server says and with how far playback has come; used by session.js.

/**
 * @typedef {object} SentenceEvent a sentence begins to be heard
 * @property {"sentence"} type
 * @property {number} utterance
 * @property {number} index
 * @property {string} text
 * @property {number} start index of its first character (UTF-16 unit) in the utterance's text
 * @property {number} startMs from the utterance's first sample
 *
 * @typedef {object} WordEvent a word begins to be heard
 * @property {"word"} type
 * @property {number} utterance
 * @property {number} index of the word in the utterance
 * @property {string} text as written
 * @property {number} start index of its first character (UTF-16 unit) in the utterance's text
 * @property {number} end index after its last character
 * @property {number} startMs from the utterance's first sample
 * @property {number} endMs
 * @property {boolean} estimated the time was derived from lengths, not measured
 */

export class Timeline {
  #utterance;
  #text = "";
  #sentenceEnd = 0;
  #wordEnd = 0;
  #words = 0;
  /** @type {(SentenceEvent | WordEvent)[]} not yet heard, in the order they will be */
  #coming = [];
  #heardEnd = 0;

  /** @param {number} utterance put into every event */
  constructor(utterance) {
    this.#utterance = utterance;
  }

  /** @param {string} delta written text, in order */
  addText(delta) {
    this.#text += delta;
  }

  /** @param {number} index @param {string} text @param {number} startMs */
  addSentence(index, text, startMs) {
    const start = this.#find(text.trim(), this.#sentenceEnd);
    this.#sentenceEnd = start + text.trim().length;
    this.#wordEnd = Math.max(this.#wordEnd, start);
    this.#insert({ type: "sentence", utterance: this.#utterance, index, text, start, startMs });
  }

  /** @param {import("./wire/messages.js").WordTime[]} words @param {boolean} estimated */
  addWords(words, estimated) {
    for (const { text, start_ms: startMs, end_ms: endMs } of words) {
      const start = this.#find(text, this.#wordEnd);
      const end = start + text.length;
      this.#wordEnd = end;
      this.#insert({ type: "word", utterance: this.#utterance, index: this.#words, text, start, end, startMs, endMs, estimated });
      this.#words += 1;
    }
  }

  /**
   * Events that are due once playback has come this far, in order, each once.
   * @param {number} playedMs of the utterance
   */
  advance(playedMs) {
    const due = [];
    while (this.#coming.length > 0 && this.#coming[0].startMs <= playedMs) {
      const event = /** @type {SentenceEvent | WordEvent} */ (this.#coming.shift());
      if (event.type === "word") this.#heardEnd = event.end;
      due.push(event);
    }
    return due;
  }

  /** The written text up to the last word that has begun to be heard. */
  get heardText() {
    return this.#text.slice(0, this.#heardEnd);
  }

  /** The word's place; where it cannot be found (a server may write it differently), the place where it should be. @param {string} text @param {number} from */
  #find(text, from) {
    const at = this.#text.indexOf(text, from);
    return at === -1 ? Math.min(from, this.#text.length) : at;
  }

  /** @param {SentenceEvent | WordEvent} event words may come late, never out of order among themselves */
  #insert(event) {
    let at = this.#coming.length;
    while (at > 0 && this.#coming[at - 1].startMs > event.startMs) at -= 1;
    this.#coming.splice(at, 0, event);
  }
}
