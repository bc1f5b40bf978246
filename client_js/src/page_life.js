// Whether the page runs: it is frozen behind other tabs, and stands still with the machine's own sleep.
//
// Timers of a page that nobody sees run late, a minute at worst, and that is no sleep: whatever else happens on it
// (messages, sound) shows that it runs. Used by assistant.js.

/**
 * @typedef {object} PageLifeListener
 * @property {() => boolean} isBusy whether something happens all the time, as while sound comes in or goes out
 * @property {() => void} onFreeze the page is about to stand still: whatever must happen before has to happen in this call
 * @property {(sleptMs: number, fellAsleepAt: number) => void} onSlept it stood still so long, since that time on `clock`
 * @property {() => void} onSeen it is looked at again
 *
 * @typedef {object} PageLifePorts
 * @property {(Pick<Document, "addEventListener" | "removeEventListener" | "visibilityState">) | undefined} [page]
 * @property {() => number} [wall] milliseconds that go on while the machine sleeps
 * @property {() => number} [clock] milliseconds of the caller's clock
 */

const TICK_MS = 1000;
/** A page that is seen, or busy, does something this often, unless it stands still. */
const SLEEP_MS = 10_000;
/** One that nobody sees and that does nothing may be woken once a minute. */
const THROTTLED_MS = 90_000;

export class PageLife {
  #listener;
  #page;
  #wall;
  #clock;
  #isFrozen = false;
  #limitMs = SLEEP_MS;
  #aliveAt = { wall: 0, clock: 0 };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {PageLifeListener} listener @param {PageLifePorts} [ports] */
  constructor(listener, { page = globalThis.document, wall = () => Date.now(), clock = () => performance.now() } = {}) {
    this.#listener = listener;
    this.#page = page;
    this.#wall = wall;
    this.#clock = clock;
  }

  start() {
    if (this.#timer !== undefined) return;
    this.#isFrozen = false;
    this.#note();
    this.#timer = setInterval(() => this.alive(), TICK_MS);
    this.#page?.addEventListener("visibilitychange", this.#seen);
    this.#page?.addEventListener("freeze", this.#freeze);
    this.#page?.addEventListener("resume", this.#resume);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#page?.removeEventListener("visibilitychange", this.#seen);
    this.#page?.removeEventListener("freeze", this.#freeze);
    this.#page?.removeEventListener("resume", this.#resume);
  }

  /** To be called first by whatever runs: compares the time with the last call. @returns {boolean} whether the page has just woken */
  alive() {
    if (this.#timer === undefined) return false;
    const { wall, clock } = this.#aliveAt;
    const sleptMs = this.#wall() - wall;
    const hasSlept = this.#isFrozen || sleptMs > this.#limitMs;
    this.#isFrozen = false;
    this.#note();
    if (hasSlept) this.#listener.onSlept(sleptMs, clock);
    return hasSlept;
  }

  #note() {
    this.#aliveAt = { wall: this.#wall(), clock: this.#clock() };
    const isSeen = this.#page?.visibilityState !== "hidden";
    this.#limitMs = isSeen || this.#listener.isBusy() ? SLEEP_MS : THROTTLED_MS;
  }

  #seen = () => {
    this.alive();
    if (this.#page?.visibilityState === "visible") this.#listener.onSeen();
  };

  #freeze = () => {
    this.alive();
    this.#listener.onFreeze();
    this.#note();
    this.#isFrozen = true;
  };

  #resume = () => {
    this.alive();
  };
}
