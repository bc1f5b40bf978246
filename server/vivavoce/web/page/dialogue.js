// What both sides said: the user's words as they are understood, the assistant's as they are heard, what was cut greyed.

export class Dialogue {
  #list;
  /** @type {Map<string, HTMLLIElement>} */
  #items = new Map();

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** The user's words so far; none at all were no message. @param {import("/client/conversation.js").TranscriptEvent} transcript */
  user({ id, text, isFinal }) {
    if (isFinal && !text) {
      this.#items.get(id)?.remove();
      this.#items.delete(id);
      return;
    }
    const item = this.#item(id, "user", "You");
    item.classList.toggle("is-hearing", !isFinal);
    this.#words(item, text);
  }

  /** The assistant's words so far, and how many of them were heard. @param {import("/client/conversation.js").ReplyEvent} reply */
  reply({ id, text, heard }) {
    const item = this.#item(id, "reply", "Viva Voce");
    item.dataset.text = text;
    if (heard === null) this.#light(item, text, Number(item.dataset.from ?? 0), Number(item.dataset.to ?? 0));
    else this.#cut(item, text, heard);
  }

  /** A word begins to be heard. @param {import("/client/conversation.js").AssistantWordEvent} word */
  word({ id, start, end }) {
    const item = this.#items.get(id);
    if (!item || item.classList.contains("is-cut")) return;
    Object.assign(item.dataset, { from: String(start), to: String(end) });
    this.#light(item, item.dataset.text ?? "", start, end);
  }

  /** Nothing is being said any more. */
  rest() {
    for (const item of this.#list.querySelectorAll("li.reply:not(.is-cut)")) {
      const { text = "" } = /** @type {HTMLElement} */ (item).dataset;
      this.#words(/** @type {HTMLLIElement} */ (item), text);
    }
  }

  /** Something happened that nobody said. @param {string} text */
  note(text) {
    const last = this.#list.lastElementChild;
    const note = piece("p", "note", text);
    if (last) last.append(note);
    this.#follow();
  }

  /** @param {HTMLLIElement} item @param {string} text @param {number} from @param {number} to */
  #light(item, text, from, to) {
    this.#words(item, piece("span", "said", text.slice(0, from)), piece("mark", "now", text.slice(from, to)), piece("span", "coming", text.slice(to)));
  }

  /** @param {HTMLLIElement} item @param {string} text @param {string} heard */
  #cut(item, text, heard) {
    item.classList.add("is-cut");
    const unheard = text.slice(heard.length).trim();
    const told = unheard ? " (interrupted; not heard:) " : " (interrupted)";
    this.#words(item, heard, piece("span", "cut", ""), piece("span", "unseen", told), piece("s", "unheard", unheard));
  }

  /** @param {HTMLLIElement} item @param {...(string | Node)} parts */
  #words(item, ...parts) {
    /** @type {HTMLElement} */ (item.querySelector("p")).replaceChildren(...parts.filter((part) => typeof part === "string" || part.textContent !== "" || /** @type {Element} */ (part).className === "cut"));
    this.#follow();
  }

  /** @param {string} id @param {string} className @param {string} name */
  #item(id, className, name) {
    const known = this.#items.get(id);
    if (known) return known;
    const item = /** @type {HTMLLIElement} */ (document.createElement("li"));
    item.className = className;
    item.append(piece("b", "", name), piece("p", "", ""));
    this.#items.set(id, item);
    this.#list.append(item);
    return item;
  }

  /** Keeps the end in sight, unless somebody reads further up. */
  #follow() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    if (scrollHeight - scrollTop - clientHeight < 160) this.#list.scrollTop = scrollHeight;
  }
}

/** @param {string} tag @param {string} className @param {string} text */
function piece(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
