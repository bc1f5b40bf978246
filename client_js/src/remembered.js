// The messages of a conversation that are remembered: what the user said, and what the assistant did, in order.
//
// Pure. Used by conversation.js and replies.js.

import { Reply } from "./reply.js";

/** @typedef {{role: "user", text: string, isFinal: boolean} | Reply} Message */

/** Messages that are told again after a loss of the connection. */
const MOST_REMEMBERED = 40;

export class Remembered {
  /** @type {Map<string, Message>} by item */
  #messages = new Map();

  /** @param {string} id */
  get(id) {
    return this.#messages.get(id);
  }

  /** The oldest is forgotten where there are too many. @param {string} id @param {Message} message */
  keep(id, message) {
    this.#messages.set(id, message);
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MOST_REMEMBERED) this.#messages.delete(oldest);
  }

  get replies() {
    return [...this.#messages.values()].filter((message) => message instanceof Reply);
  }

  /** What was said on both sides, as far as it was heard. @returns {{id: string, role: "user" | "assistant", text: string}[]} */
  get said() {
    return [...this.#messages].flatMap(([id, message]) => {
      const role = message instanceof Reply ? "assistant" : "user";
      const text = message instanceof Reply ? (message.heard ?? message.text) : message.text;
      return text ? [{ id, role, text }] : [];
    });
  }
}
