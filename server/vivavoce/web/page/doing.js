// What the assistant was asked to do and this page does: timers that count and ring, music that plays.

import { Music, ring } from "./tunes.js";

/** @param {number} seconds @returns {string} 1:05, or 1:00:05 */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const LONGEST_S = 24 * 3600;
const MOST_TIMERS = 8;
const RINGS_FOR_MS = 8000;

export class Doing {
  #list;
  #told;
  /** @type {Map<HTMLLIElement, ReturnType<typeof setInterval>>} */
  #timers = new Map();
  /** @type {{music: Music, item: HTMLLIElement} | null} */
  #playing = null;

  /** @param {HTMLElement} list @param {(text: string) => void} told hears of what a reader of the page should know */
  constructor(list, told) {
    this.#list = list;
    this.#told = told;
  }

  /** The functions that a conversation may call. @returns {import("/client/assistant.js").Tool[]} */
  get tools() {
    return [
      {
        name: "set_timer",
        description: "Sets a timer that rings after so many seconds.",
        parameters: { type: "object", properties: { seconds: { type: "number", minimum: 1, maximum: LONGEST_S } }, required: ["seconds"] },
        run: ({ seconds }) => this.#setTimer(Number(seconds)),
      },
      { name: "cancel_timer", description: "Stops all timers.", parameters: { type: "object", properties: {} }, run: () => this.#cancelTimers() },
      {
        name: "play_music",
        description: "Plays music.",
        parameters: { type: "object", properties: { query: { type: "string" } } },
        run: () => this.#play(),
      },
      { name: "stop_music", description: "Stops the music.", parameters: { type: "object", properties: {} }, run: () => this.#stopMusic() },
    ];
  }

  /** Somebody speaks. @param {boolean} isTalk */
  duck(isTalk) {
    this.#playing?.music.duck(isTalk);
  }

  /** @param {number} seconds */
  #setTimer(seconds) {
    if (!(seconds > 0 && seconds <= LONGEST_S)) throw new RangeError("a timer takes from one second to a day");
    if (this.#timers.size >= MOST_TIMERS) throw new RangeError(`there are ${MOST_TIMERS} timers already`);
    const endsAt = Date.now() + seconds * 1000;
    const time = document.createElement("span");
    time.setAttribute("role", "timer");
    const item = this.#item("Timer", time, "Cancel", () => this.#remove(item));
    const show = () => {
      const left = (endsAt - Date.now()) / 1000;
      time.textContent = clock(left);
      if (left <= 0) this.#ring(item);
    };
    this.#timers.set(item, setInterval(show, 250));
    show();
    return { seconds, rings_at: new Date(endsAt).toISOString() };
  }

  /** @param {HTMLLIElement} item */
  #ring(item) {
    clearInterval(this.#timers.get(item));
    this.#timers.delete(item);
    item.classList.add("is-ringing");
    item.querySelector("button")?.replaceChildren("All right");
    this.#told("The timer rings.");
    ring();
    setTimeout(() => item.remove(), RINGS_FOR_MS);
  }

  #cancelTimers() {
    const count = this.#timers.size;
    for (const item of [...this.#timers.keys()]) this.#remove(item);
    return { cancelled: count };
  }

  /** @param {HTMLLIElement} item */
  #remove(item) {
    clearInterval(this.#timers.get(item));
    this.#timers.delete(item);
    item.remove();
  }

  #play() {
    if (!this.#playing) {
      const note = document.createElement("span");
      note.textContent = "a tune of this page";
      this.#playing = { music: new Music(), item: this.#item("Music", note, "Stop", () => this.#stopMusic()) };
    }
    return { playing: true };
  }

  #stopMusic() {
    const wasPlaying = this.#playing !== null;
    this.#playing?.music.stop();
    this.#playing?.item.remove();
    this.#playing = null;
    return { stopped: wasPlaying };
  }

  /** @param {string} name @param {HTMLElement} value @param {string} action @param {() => void} act */
  #item(name, value, action, act) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", act);
    button.setAttribute("aria-label", `${action}: ${name.toLowerCase()}`);
    item.append(`${name} `, value, button);
    this.#list.append(item);
    return item;
  }
}
