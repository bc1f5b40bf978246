// The sheet of paper: a textarea, and under it the same words in the colours of speech.

export class TextView {
  #field;
  #backdrop;
  /** Characters before the one being said, and after it; -1 where nothing is. */
  #place = { from: -1, to: -1, end: -1, isStopped: false };

  /** What seems to be dictated; not yet in the field. */
  #partial = "";

  /** @param {HTMLTextAreaElement} field @param {HTMLElement} backdrop */
  constructor(field, backdrop) {
    this.#field = field;
    this.#backdrop = backdrop;
    this.render();
  }

  get text() {
    return this.#field.value;
  }

  /** What is being said: the word, and how far the text goes that will be. @param {number} from @param {number} to @param {number} end */
  say(from, to, end) {
    this.#place = { from, to, end, isStopped: false };
    this.render();
    this.#follow();
  }

  /** Where it was stopped. @param {number} at */
  stop(at) {
    this.#place = { from: at, to: at, end: this.text.length, isStopped: true };
    this.render();
  }

  /** Nothing is being said. */
  rest() {
    this.#place = { from: -1, to: -1, end: -1, isStopped: false };
    this.render();
  }

  /** What seems to be dictated so far, shown behind the text. @param {string} text */
  guess(text) {
    this.#partial = text;
    this.render();
  }

  /** What was dictated becomes text. @param {string} text */
  add(text) {
    this.#partial = "";
    this.#field.value = joined(this.text, text);
    this.render();
  }

  /** Characters were put in or taken out before what is being said. @param {number} at @param {number} by */
  shift(at, by) {
    for (const key of /** @type {const} */ (["from", "to", "end"])) if (this.#place[key] >= at) this.#place[key] += by;
  }

  render() {
    const { text } = this;
    const { from, to, end, isStopped } = this.#place;
    if (from < 0) {
      const guess = this.#partial ? [piece("span", "partial", joined(text, this.#partial).slice(text.length))] : [];
      this.#backdrop.replaceChildren(text, ...guess, "\n");
      return;
    }
    const now = isStopped ? piece("span", "stopped", "") : piece("mark", "now", text.slice(from, to));
    this.#backdrop.replaceChildren(
      piece("span", "said", text.slice(0, from)),
      ...(to > from || isStopped ? [now] : []),
      piece("span", "coming", text.slice(to, end)),
      `${text.slice(end)}\n`,
    );
  }

  /** Keeps the word in sight, inside the sheet only: the page itself stays where the reader put it. */
  #follow() {
    const word = this.#backdrop.querySelector(".now");
    const sheet = this.#backdrop.parentElement;
    if (!word || !sheet) return;
    const [inner, outer] = [word.getBoundingClientRect(), sheet.getBoundingClientRect()];
    if (inner.bottom > outer.bottom - 24) sheet.scrollTop += inner.bottom - outer.bottom + outer.height / 3;
    else if (inner.top < outer.top) sheet.scrollTop -= outer.top - inner.top + 24;
  }
}

/** With a blank between the two, unless one is there. @param {string} before @param {string} after */
function joined(before, after) {
  return before && !/\s$/.test(before) ? `${before} ${after}` : before + after;
}

/** @param {string} tag @param {string} className @param {string} text */
function piece(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
