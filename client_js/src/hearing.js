// What an assistant hears: a microphone, whose sound goes out as frames, or as the track of a call.
//
// Used by assistant.js; says nothing about who has the floor.

import { Loudness } from "./sound/loudness.js";
import { Microphone } from "./sound/microphone.js";
import { Recorder } from "./sound/recorder.js";
import { REALTIME_RATE_HZ } from "./wire/realtime_events.js";

/**
 * @typedef {object} HearingPorts
 * @property {boolean} isCall sound travels as a track
 * @property {() => AudioContext} context to hear in
 * @property {(track: MediaStreamTrack | null) => void} onTrack of a call: this one speaks from now on; null: none does
 * @property {(samples: Int16Array) => void} onFrame otherwise: the next 20 ms, 24 kHz
 * @property {(level: number, isLoud: boolean) => void} onLevel
 * @property {(isOpen: boolean) => void} onChange a microphone has gone, or is there again
 * @property {(error: import("./errors.js").VoiceError) => void} onError
 */

const FRAME_MS = 20;

export class Hearing {
  #ports;
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {Recorder | null} */
  #recorder = null;
  #loudness = new Loudness();
  #isMuted = false;

  /** @param {HearingPorts} ports */
  constructor(ports) {
    this.#ports = ports;
  }

  /** Whether a microphone is open. */
  get isOpen() {
    return this.#microphone?.track?.readyState === "live";
  }

  get isMuted() {
    return this.#isMuted;
  }

  /** Of the microphone that is open. */
  get track() {
    return this.#microphone?.track ?? null;
  }

  /** @throws {import("./errors.js").VoiceError} `microphone_denied` and others */
  async open() {
    if (this.isOpen) return;
    this.close();
    const microphone = new Microphone(
      {
        onStream: (stream) => this.#take(stream),
        onLevel: (level) => this.#ports.onLevel(level, this.#loudness.isLoud(level)),
        onLost: (error) => this.#lose(error),
      },
      this.#ports.context(),
    );
    this.#microphone = microphone;
    microphone.mute(this.#isMuted);
    await microphone.open();
  }

  /** Opens it again where its device has gone. */
  check() {
    this.#microphone?.check();
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    this.#microphone?.mute(isMuted);
  }

  /** Frees the microphone. */
  close() {
    this.#rest();
    this.#microphone?.close();
    this.#microphone = null;
  }

  /** Sends the sound of this device from now on. @param {MediaStream} stream */
  #take(stream) {
    if (this.#ports.isCall) this.#ports.onTrack(stream.getAudioTracks()[0]);
    else this.#record(stream).catch((error) => this.#ports.onError(error));
    this.#ports.onChange(true);
  }

  /** The microphone has gone and there is no other: sends nothing until there is one, which is opened by itself. @param {import("./errors.js").VoiceError} error */
  #lose(error) {
    this.#rest();
    if (error.code === "microphone_denied") this.close();
    this.#ports.onChange(false);
    this.#ports.onError(error);
  }

  #rest() {
    void this.#recorder?.close();
    this.#recorder = null;
    if (this.#ports.isCall) this.#ports.onTrack(null);
  }

  /** Sends what this stream hears, from now on. @param {MediaStream} stream */
  async #record(stream) {
    void this.#recorder?.close();
    const recorder = new Recorder((samples) => this.#ports.onFrame(samples), {
      context: this.#ports.context(),
      stream,
      rateHz: REALTIME_RATE_HZ,
      blockMs: FRAME_MS,
    });
    this.#recorder = recorder;
    await recorder.open();
  }
}
