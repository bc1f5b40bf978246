// The AudioContext of somebody who may have been given one: else it is made when it is needed, kept running, and closed.

import { keepRunning } from "./keep_running.js";

export class OwnContext {
  #given;
  /** @type {AudioContext | null} */
  #made = null;
  #letSleep = () => {};

  /** @param {AudioContext} [given] is left alone */
  constructor(given) {
    this.#given = given;
  }

  /** Call it in a click or key handler: browsers let sound begin only there. @returns {AudioContext} */
  get() {
    if (this.#given) return this.#given;
    if (!this.#made) {
      this.#made = new AudioContext({ latencyHint: "interactive" });
      this.#letSleep = keepRunning(this.#made);
    }
    return this.#made;
  }

  /** Asks the context that was made here to run, where the browser has stopped it. */
  resume() {
    if (this.#made && this.#made.state !== "running" && this.#made.state !== "closed") void this.#made.resume().catch(() => {});
  }

  /** What was made here is free again; another may be made. */
  async close() {
    const made = this.#made;
    this.#made = null;
    this.#letSleep();
    if (made && made.state !== "closed") await made.close();
  }
}
