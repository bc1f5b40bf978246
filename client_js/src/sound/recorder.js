// The microphone through Web Audio: captured at the rate the browser gives, converted on the audio thread.
//
// Browsers give a microphone to pages served with TLS or from the same machine only. A change of device is lived
// through. Used by listener.js and hearing.js.

import { VoiceError } from "../errors.js";
import { keepRunning } from "./keep_running.js";
import { SteadyStream } from "./steady_stream.js";

/**
 * @typedef {(samples: Int16Array, level: number) => void} OnSamples a block, mono; `level`: root mean square, 0..1
 *
 * @typedef {object} RecorderOptions
 * @property {AudioContext} [context] to capture in; made where absent
 * @property {MediaStream} [stream] to listen to instead of the microphone
 * @property {MediaTrackConstraints} [constraints] of the microphone
 * @property {(error: VoiceError) => void} [onLost] the microphone has gone, and there is no other
 * @property {number} [rateHz] of what it gives; 16 kHz by default
 * @property {number} [blockMs] length of a block; 40 ms by default
 */

const WORKLET_URL = new URL("./worklets/recorder_worklet.js", import.meta.url);

export class Recorder {
  #onSamples;
  #options;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {SteadyStream | null} */
  #steady = null;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  #isClosed = false;
  /** @type {() => void} */
  #onFlushed = () => {};
  /** @type {() => void} */
  #letSleep = () => {};

  /** @param {OnSamples} onSamples @param {RecorderOptions} [options] */
  constructor(onSamples, options = {}) {
    this.#onSamples = onSamples;
    this.#options = options;
  }

  /**
   * Asks for the microphone and begins. Call it in a click or key handler.
   * @throws {VoiceError} `microphone_denied` and others, `audio_unavailable`
   */
  async open() {
    const { stream, constraints, onLost = () => {}, context, rateHz = 16_000, blockMs = 40 } = this.#options;
    if (stream) this.#listenTo(stream);
    else {
      this.#steady = new SteadyStream({ onStream: (each) => this.#listenTo(each), onLost }, constraints);
      await this.#steady.open();
    }
    if (this.#isClosed) return;
    this.#context = context ?? new AudioContext({ latencyHint: "interactive" });
    if (!context) this.#letSleep = keepRunning(this.#context);
    const running = this.#context;
    await running.audioWorklet.addModule(WORKLET_URL).catch((cause) => {
      throw new VoiceError("audio_unavailable", "the recorder could not be loaded", { cause });
    });
    if (running.state === "suspended") await running.resume().catch(() => {});
    if (this.#isClosed) return;
    const node = new AudioWorkletNode(running, "vivavoce-recorder", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rateHz, blockMs },
    });
    node.port.onmessage = ({ data }) => (data ? this.#onSamples(data.samples, data.level) : this.#onFlushed());
    this.#node = node;
    this.#connect();
  }

  /** Stops, gives the last samples, and lets go of the microphone. */
  async close() {
    this.#isClosed = true;
    const node = this.#node;
    this.#node = null;
    if (node) {
      /** @type {Promise<void>} */
      const flushed = new Promise((resolve) => {
        this.#onFlushed = resolve;
        setTimeout(resolve, 200);
      });
      node.port.postMessage("flush");
      await flushed;
      node.disconnect();
    }
    this.#source?.disconnect();
    this.#steady?.close();
    this.#letSleep();
    this.#steady = this.#stream = this.#source = null;
    if (!this.#options.context && this.#context && this.#context.state !== "closed") await this.#context.close();
    this.#context = null;
  }

  /** From now on. @param {MediaStream} stream */
  #listenTo(stream) {
    this.#stream = stream;
    this.#connect();
  }

  #connect() {
    if (!this.#context || !this.#node || !this.#stream) return;
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(this.#stream);
    this.#source.connect(this.#node);
  }
}
