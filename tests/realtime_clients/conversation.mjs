// The conversation of conversation.py for clients in JavaScript: what it says comes as files, what it heard goes out as
// one line of JSON, which Python reads and judges.

import { readFile } from "node:fs/promises";

const HEARD_MS = 1500; // of the story, before it is talked over
const LONGEST_MS = 20_000;
export const INSTRUCTIONS = "You are a friendly assistant.";
export const SUNNY = '{"weather": "sunny", "city": "Paris"}';

/** What a client says and what it gets; see `Talk` in conversation.py. */
export class Talk {
  sounds = new Map();
  finished = 0;
  interruptions = 0;
  calls = [];
  words = [];
  errors = [];
  #waiting = [];

  /** Sound of a reply: bytes of PCM. */
  hear(reply, bytes) {
    if (!this.sounds.has(reply)) this.sounds.set(reply, []);
    this.sounds.get(reply).push(Buffer.from(bytes));
    this.changed();
  }

  changed() {
    for (const look of this.#waiting.splice(0)) look();
  }

  async until(what, happened) {
    const late = setTimeout(() => {
      console.error(`waited for ${what}: ${JSON.stringify({ ...this.#facts(), sounds: this.sounds.size })}`);
      process.exit(1);
    }, LONGEST_MS);
    while (!happened()) await new Promise((resolve) => this.#waiting.push(resolve));
    clearTimeout(late);
  }

  #facts() {
    const { finished, interruptions, calls, words, errors } = this;
    return { finished, interruptions, calls, words, errors };
  }

  /** What was heard, for Python. */
  toJSON() {
    const sounds = [...this.sounds.values()].map((pieces) => Buffer.concat(pieces).toString("base64"));
    return { ...this.#facts(), sounds };
  }
}

/** Holds the conversation: `speak` takes PCM of 24 kHz. */
export async function hold(talk, speak) {
  const [question, wish, interruption] = await Promise.all(process.argv.slice(3, 6).map((path) => readFile(path)));
  await speak(question);
  await talk.until("the fact", () => talk.sounds.size === 1 && talk.finished >= 1);
  await speak(wish);
  await talk.until("the story", () => talk.sounds.size === 2);
  await new Promise((resolve) => setTimeout(resolve, HEARD_MS));
  await speak(interruption);
  await talk.until("the interruption", () => talk.interruptions >= 1);
  await talk.until("the function call", () => talk.calls.length > 0);
  await talk.until("the forecast", () => talk.sounds.size >= 3 && talk.finished >= 4);
  process.stdout.write(JSON.stringify(talk) + "\n", () => process.exit(0));
}

export const ADDRESS = process.argv[2];
