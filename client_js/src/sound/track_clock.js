// Where playback stands on a track, of which nobody counts the samples: the server's word, a clock and a delay.
//
// Pure: times come in as arguments. The server says "now" when a piece of an utterance leaves it; it is heard a delay
// later, the network's and the jitter buffer's.

/** @typedef {{generation: number, anchorMs: number, anchoredAt: number, endMs: number | null}} Running */

export class TrackClock {
  /** Running and waiting generations, in order. @type {Running[]} */
  #running = [];
  #started = -1;

  /** Milliseconds between leaving the server and being heard; told by the statistics. */
  delayMs = 100;

  get isIdle() {
    return this.#running.length === 0;
  }

  /** A piece of this generation leaves the server now. @param {number} generation @param {number} atMs of the generation @param {number} now */
  reach(generation, atMs, now) {
    const running = this.#running.find((each) => each.generation === generation);
    if (!running) this.#running.push({ generation, anchorMs: atMs, anchoredAt: now, endMs: null });
    else Object.assign(running, { anchorMs: atMs, anchoredAt: now });
  }

  /** Its last sample has left the server. @param {number} generation @param {number} durationMs */
  end(generation, durationMs) {
    const running = this.#running.find((each) => each.generation === generation);
    if (running) running.endMs = durationMs;
  }

  /** @param {number} generation */
  clear(generation) {
    this.#running = this.#running.filter((each) => each.generation > generation);
  }

  /**
   * What is heard now, and what began or ended to be heard since the last call.
   * @param {number} now
   */
  advance(now) {
    /** @type {import("./playback_buffer.js").PlaybackEvent[]} */
    const events = [];
    let place = { generation: this.#started, playedMs: 0 };
    while (this.#running.length > 0) {
      const [{ generation, anchorMs, anchoredAt, endMs }] = this.#running;
      const playedMs = anchorMs + now - anchoredAt - this.delayMs;
      if (playedMs < 0) break;
      if (this.#started < generation) events.push({ type: "started", generation, playedMs: 0 });
      this.#started = Math.max(this.#started, generation);
      place = { generation, playedMs: Math.min(playedMs, endMs ?? Infinity) };
      if (endMs === null || playedMs < endMs) break;
      events.push({ type: "drained", generation, playedMs: endMs });
      this.#running.shift();
    }
    return { ...place, events };
  }
}
