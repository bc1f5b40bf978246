// One reply of the assistant: what it says, when its words are heard, and how much of it was.
//
// Pure: told of events and of how far playback has come; used by conversation.js.

import { Timeline } from "./timeline.js";

export class Reply {
  text = "";
  /** Milliseconds of sound that came, where it comes as samples. */
  receivedMs = 0;
  playedMs = 0;
  /** When `playedMs` was told. */
  playedAt = 0;
  /** Its first sample was heard. */
  isHeard = false;
  /** Playback is over: to its end, or cut. */
  isOver = false;
  /** The server has said all of it. */
  isWhole = false;
  /** What of the text was heard, once it was cut; null: it was not. @type {string | null} */
  heard = null;
  #timeline;
  #hasWordTimes = false;
  /** A place in its sound, and when it left the server: only of a track. */
  #anchor = { ms: 0, at: 0 };

  /**
   * @param {string} id the item's
   * @param {string} responseId
   * @param {number} generation of its sound
   * @param {boolean} isRemembered the server's conversation knows it
   */
  constructor(id, responseId, generation, isRemembered) {
    this.id = id;
    this.responseId = responseId;
    this.generation = generation;
    this.isRemembered = isRemembered;
    this.#timeline = new Timeline(generation);
  }

  /** @param {string} delta */
  addText(delta) {
    this.text += delta;
    this.#timeline.addText(delta);
  }

  /** @param {import("./wire/realtime_events.js").WordTime[]} words @param {boolean} estimated */
  addWords(words, estimated) {
    this.#hasWordTimes = true;
    this.#timeline.addWords(words, estimated);
  }

  /** This place of its sound leaves the server now. @param {number} ms @param {number} now */
  anchor(ms, now) {
    this.#anchor = { ms, at: now };
  }

  /** How far it has left the server. @param {number} now */
  leftMs(now) {
    return this.#anchor.ms + now - this.#anchor.at;
  }

  /** Words that begin to be heard, each once. @param {number} playedMs @param {number} now */
  play(playedMs, now) {
    this.playedMs = Math.max(this.playedMs, playedMs);
    this.playedAt = now;
    return this.#timeline.advance(this.playedMs).filter((event) => event.type === "word");
  }

  /** Milliseconds that were heard by now. @param {number} now */
  positionMs(now) {
    if (!this.isHeard) return 0;
    const position = this.playedMs + Math.max(0, now - this.playedAt);
    return Math.round(this.receivedMs > 0 ? Math.min(position, this.receivedMs) : position);
  }

  /** No more of it is heard. @param {number} now */
  cut(now) {
    this.isOver = true;
    this.heard = this.#heardText(this.positionMs(now));
  }

  /** @param {number} playedMs */
  #heardText(playedMs) {
    if (!this.isHeard) return "";
    this.#timeline.advance(playedMs);
    if (this.#hasWordTimes || this.receivedMs === 0) return this.#timeline.heardText;
    return cutAtWord(this.text, Math.round((playedMs / this.receivedMs) * this.text.length));
  }
}

/** At most so many characters, without half a word at the end. @param {string} text @param {number} length */
export function cutAtWord(text, length) {
  if (length >= text.length) return text;
  const kept = text.slice(0, length);
  return /\s/.test(text[length]) ? kept : kept.replace(/[^\s\u3040-\u30ff\u3400-\u9fff]+$/u, "").trimEnd();
}
