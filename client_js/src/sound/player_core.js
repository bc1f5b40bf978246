// What the audio thread does for every block, and what it tells of it; shared by the worklet and by its stand-in.

import { PlaybackBuffer } from "./playback_buffer.js";

/**
 * @typedef {{type: "push", generation: number, samples: Int16Array, rateHz: number}
 *   | {type: "rest" | "end" | "clear", generation: number}} PlayerCommand
 * @typedef {{type: "report", level: number} & import("./playback_buffer.js").PlaybackReport} PlayerReport
 * @typedef {PlayerReport | import("./playback_buffer.js").PlaybackEvent} PlayerMessage
 */

const REPORT_EVERY_S = 0.05;

export class PlayerCore {
  #buffer;
  #post;
  #reportEvery;
  #sinceReport = 0;
  #squares = 0;
  #wasIdle = true;

  /**
   * @param {number} rateHz of the sound card
   * @param {Partial<import("./playback_buffer.js").PlaybackOptions>} options
   * @param {(message: PlayerMessage) => void} post
   */
  constructor(rateHz, options, post) {
    this.#buffer = new PlaybackBuffer(rateHz, options);
    this.#post = post;
    this.#reportEvery = rateHz * REPORT_EVERY_S;
  }

  /** @param {PlayerCommand} command */
  receive(command) {
    if (command.type === "push") this.#buffer.push(command.generation, command.samples, command.rateHz);
    else if (command.type === "rest") this.#buffer.rest(command.generation);
    else if (command.type === "end") this.#buffer.end(command.generation);
    else this.#buffer.clear(command.generation);
  }

  /** Fills one block, and reports every 50 ms while there is sound. @param {Float32Array} output */
  render(output) {
    this.#buffer.pull(output);
    for (const event of this.#buffer.takeEvents()) this.#post(event);
    for (const sample of output) this.#squares += sample * sample;
    this.#sinceReport += output.length;
    if (this.#sinceReport >= this.#reportEvery) this.#report();
  }

  #report() {
    const report = this.#buffer.report();
    const level = Math.sqrt(this.#squares / this.#sinceReport);
    this.#sinceReport = 0;
    this.#squares = 0;
    const isIdle = report.state === "idle";
    if (!isIdle || !this.#wasIdle) this.#post({ type: "report", level, ...report });
    this.#wasIdle = isIdle;
  }
}
