// What of the text goes to the voice, and where in the text its words stand, while both go on.
//
// Pure: no page, no connection. Text up to `committed` was given to the voice; what is written after it follows, word by
// word; what is changed before it stays as it was said.

export class Script {
  #text = "";
  #committed = 0;
  /** Where each utterance begins in the text. @type {Map<number, number>} */
  #bases = new Map();

  /** End of what was given to the voice. */
  get committed() {
    return this.#committed;
  }

  /** Begins anew: what follows `at` is to be said. @param {string} text @param {number} at */
  begin(text, at) {
    this.#text = text;
    this.#committed = at;
    this.#bases.clear();
  }

  /** Takes the text up to `end`. @param {number} end @returns {string} */
  take(end) {
    const part = this.#text.slice(this.#committed, end);
    this.#committed = Math.max(this.#committed, end);
    return part;
  }

  /** The utterance's text begins at that place. @param {number} utterance @param {number} at */
  place(utterance, at) {
    if (!this.#bases.has(utterance)) this.#bases.set(utterance, at);
  }

  /** Where an utterance's character stands in the text now. @param {number} utterance @param {number} offset */
  locate(utterance, offset) {
    const base = this.#bases.get(utterance);
    return base === undefined ? null : base + offset;
  }

  /**
   * The text was changed by hand.
   * @param {string} text the whole of it
   * @returns {{at: number, by: number}} where, and by how many characters it grew
   */
  edit(text) {
    const at = commonPrefix(this.#text, text);
    const by = text.length - this.#text.length;
    this.#text = text;
    if (at < this.#committed) {
      this.#committed = Math.min(text.length, Math.max(at, this.#committed + by));
      for (const [utterance, base] of this.#bases) if (base > at) this.#bases.set(utterance, base + by);
    }
    return { at, by };
  }

  /** End of the words that are complete: the one under the pen may still change. */
  get wholeWords() {
    const pending = this.#text.slice(this.#committed);
    const last = pending.search(/[\s。、，！？]\S*$/u);
    return last === -1 ? this.#committed : this.#committed + last + 1;
  }
}

/** @param {string} a @param {string} b */
function commonPrefix(a, b) {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a[at] === b[at]) at += 1;
  return at;
}
