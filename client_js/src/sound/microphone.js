// The user's microphone as a stream that lives through a change of device, and how loud it is.
//
// Knows no transport: a call takes the track, a recorder the stream. Used by assistant.js and recorder.js.

import { VoiceError } from "../errors.js";

/**
 * @typedef {object} MicrophoneListener
 * @property {(stream: MediaStream) => void} onStream another device speaks from now on
 * @property {(level: number) => void} onLevel root mean square of the last 20 ms or so, 0..1, every 50 ms
 * @property {(error: VoiceError) => void} onLost there is none any more
 */

/** The assistant's own voice comes back out of the room: the browser takes it out. */
const CONSTRAINTS = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } };
const TICK_MS = 50;
const REASONS = /** @type {Record<string, [string, string]>} */ ({
  NotAllowedError: ["microphone_denied", "the microphone was not allowed"],
  NotFoundError: ["microphone_missing", "there is no microphone"],
  NotReadableError: ["microphone_busy", "the microphone is used by another program"],
});

export class Microphone {
  #listener;
  #context;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #analyser;
  #samples;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #isMuted = false;
  #isClosed = false;
  /** @type {Promise<void> | null} */
  #opening = null;

  /** @param {MicrophoneListener} listener @param {AudioContext} context to measure in */
  constructor(listener, context) {
    this.#listener = listener;
    this.#context = context;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  get stream() {
    return this.#stream;
  }

  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  /** Asks for it. @throws {VoiceError} `microphone_denied`, `microphone_missing`, `microphone_busy` or `microphone_failed` */
  async open() {
    await this.#reopen();
    navigator.mediaDevices.addEventListener("devicechange", this.#check);
    this.#timer = setInterval(() => this.#listener.onLevel(this.#level()), TICK_MS);
  }

  /** Opens it again where its device has gone, as after a tab has slept. */
  check() {
    this.#check();
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    if (this.track) this.track.enabled = !isMuted;
  }

  /** Frees it. */
  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    navigator.mediaDevices?.removeEventListener("devicechange", this.#check);
    this.#release();
  }

  #check = () => {
    if (this.#isClosed || this.track?.readyState === "live") return;
    this.#reopen().catch((error) => this.#listener.onLost(error));
  };

  #reopen() {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open() {
    const stream = await askForMicrophone();
    this.#release();
    if (this.#isClosed) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.#stream = stream;
    this.mute(this.#isMuted);
    this.track?.addEventListener("ended", this.#check);
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    this.#listener.onStream(stream);
  }

  #release() {
    this.#source?.disconnect();
    this.track?.removeEventListener("ended", this.#check);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }

  #level() {
    if (this.#isMuted) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }
}

/**
 * @param {MediaTrackConstraints} [constraints] besides those of speech
 * @returns {Promise<MediaStream>}
 * @throws {VoiceError} `microphone_denied`, `microphone_missing`, `microphone_busy` or `microphone_failed`
 */
export async function askForMicrophone(constraints = {}) {
  if (!globalThis.navigator?.mediaDevices) {
    throw new VoiceError("microphone_denied", "browsers open the microphone only on pages with https, and on this machine's own");
  }
  return navigator.mediaDevices.getUserMedia({ audio: { ...CONSTRAINTS.audio, ...constraints } }).catch((cause) => {
    const [code, message] = REASONS[cause.name] ?? ["microphone_failed", "the microphone could not be opened"];
    throw new VoiceError(code, message, { cause });
  });
}
