// What both pages have: their elements by name, lines for the reader, and the form that asks for a key.

import { inPlainWords } from "./plain_words.js";
import { fetchVoices, fillVoices } from "./voices.js";

const KEPT_AS = "vivavoce-key";

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const element = (id) => /** @type {T} */ (document.getElementById(id));

/** @param {...string} ids */
export function show(...ids) {
  for (const id of ids) element(id).hidden = false;
}

/** @param {...string} ids */
export function hide(...ids) {
  for (const id of ids) element(id).hidden = true;
}

/** @param {string} text */
export function notice(text) {
  element("notice").textContent = text;
  show("notice");
}

/**
 * For those who do not see the page. While a microphone is open only what they did themselves: a reader that talks would
 * be heard by it.
 * @param {string} text
 */
export function status(text) {
  if (element("status").textContent !== text) element("status").textContent = text;
}

/** The server's key, kept for as long as the tab is open; empty where it asks for none. */
export class Key {
  /** @type {HTMLInputElement} */ #field = element("key");
  #value = sessionStorage.getItem(KEPT_AS) ?? "";
  #sentences;

  /** @param {() => void} onChange another key was written @param {Record<string, string>} [sentences] the page's own */
  constructor(onChange, sentences = {}) {
    this.#sentences = sentences;
    element("key-panel").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#value = this.#field.value.trim();
      sessionStorage.setItem(KEPT_AS, this.#value);
      onChange();
    });
  }

  get value() {
    return this.#value;
  }

  ask() {
    show("key-panel");
    this.#field.focus();
  }

  /** Tells of an error, and asks for a key where one would help. @param {unknown} error */
  failed(error) {
    const { code, status: http } = /** @type {import("/client/errors.js").VoiceError} */ (error);
    if (code === "closed") return;
    if (http === 401 || code === "invalid_api_key") this.ask();
    notice(inPlainWords(error, this.#sentences));
  }

  /** @param {HTMLSelectElement} select */
  async loadVoices(select) {
    try {
      fillVoices(select, await fetchVoices(this.#value));
      hide("key-panel", "notice");
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status === 401) this.ask();
      else notice(inPlainWords(error));
    }
  }
}
