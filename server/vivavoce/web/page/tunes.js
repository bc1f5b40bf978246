// Sounds that the page makes itself: music that is composed as it plays, and the bell of a timer.

/** A pentatonic scale has no wrong notes. */
const SCALE_HZ = [220, 261.63, 293.66, 329.63, 392, 440, 523.25, 587.33, 659.25, 784];
const BASS_HZ = [110, 130.81, 98, 146.83];
const BEAT_S = 0.34;
const AHEAD_S = 0.4;
const LOUD = 0.11;
/** While somebody speaks. */
const SOFT = 0.02;

/** The next place in the scale: mostly a step, sometimes a leap, never over the edge. @param {number} at @param {number} chance 0..1 */
export function nextNote(at, chance) {
  const steps = [-2, -1, -1, 0, 1, 1, 2, 4];
  const next = at + steps[Math.min(steps.length - 1, Math.floor(chance * steps.length))];
  return next < 0 || next >= SCALE_HZ.length ? at + (next < 0 ? 1 : -1) : next;
}

export class Music {
  #context;
  #volume;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #beat = 0;
  #nextAt = 0;
  #note = 4;

  constructor() {
    this.#context = new AudioContext();
    this.#volume = this.#context.createGain();
    this.#volume.gain.value = LOUD;
    this.#volume.connect(this.#context.destination);
    this.#nextAt = this.#context.currentTime + 0.1;
    this.#timer = setInterval(() => this.#compose(), 100);
  }

  /** Softer while somebody speaks. @param {boolean} isSoft */
  duck(isSoft) {
    this.#volume.gain.setTargetAtTime(isSoft ? SOFT : LOUD, this.#context.currentTime, 0.15);
  }

  stop() {
    clearInterval(this.#timer);
    this.#volume.gain.setTargetAtTime(0, this.#context.currentTime, 0.1);
    setTimeout(() => void this.#context.close(), 600);
  }

  #compose() {
    while (this.#nextAt < this.#context.currentTime + AHEAD_S) {
      if (this.#beat % 8 === 0) this.#play(BASS_HZ[(this.#beat / 8) % BASS_HZ.length], 8 * BEAT_S, 0.9);
      if (Math.random() < 0.78) {
        this.#note = nextNote(this.#note, Math.random());
        this.#play(SCALE_HZ[this.#note], BEAT_S * 2.4, 0.6);
      }
      this.#beat += 1;
      this.#nextAt += BEAT_S;
    }
  }

  /** @param {number} hz @param {number} lengthS @param {number} loudness */
  #play(hz, lengthS, loudness) {
    pluck(this.#context, this.#volume, { hz, at: this.#nextAt, lengthS, loudness });
  }
}

/** A bell, three times. */
export function ring() {
  const context = new AudioContext();
  for (const beat of [0, 1, 2]) {
    for (const hz of [880, 1318.5]) pluck(context, context.destination, { hz, at: context.currentTime + 0.05 + beat * 0.7, lengthS: 0.6, loudness: 0.14 });
  }
  setTimeout(() => void context.close(), 3000);
}

/** @param {AudioContext} context @param {AudioNode} target @param {{hz: number, at: number, lengthS: number, loudness: number}} note */
function pluck(context, target, { hz, at, lengthS, loudness }) {
  const [tone, shape] = [context.createOscillator(), context.createGain()];
  tone.type = "triangle";
  tone.frequency.value = hz;
  shape.gain.setValueAtTime(0, at);
  shape.gain.linearRampToValueAtTime(loudness, at + 0.02);
  shape.gain.exponentialRampToValueAtTime(0.001, at + lengthS);
  tone.connect(shape).connect(target);
  tone.start(at);
  tone.stop(at + lengthS);
}
