// The microphone through Web Audio: captured at the rate the browser gives, converted on the audio thread.
//
// Browsers give a microphone to pages served with TLS or from the same machine only. Used by listener.js and assistant.js.

import { VoiceError } from "../errors.js";
import { askForMicrophone } from "./microphone.js";

/**
 * @typedef {(samples: Int16Array, level: number) => void} OnSamples a block, mono; `level`: root mean square, 0..1
 *
 * @typedef {object} RecorderOptions
 * @property {AudioContext} [context] to capture in; made where absent
 * @property {MediaStream} [stream] to listen to instead of the microphone
 * @property {MediaTrackConstraints} [constraints] of the microphone
 * @property {number} [rateHz] of what it gives; 16 kHz by default
 * @property {number} [blockMs] length of a block; 40 ms by default
 */

const WORKLET_URL = new URL("./worklets/recorder_worklet.js", import.meta.url);

export class Recorder {
  #onSamples;
  #options;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {() => void} */
  #onFlushed = () => {};

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
    this.#stream = this.#options.stream ?? (await askForMicrophone(this.#options.constraints));
    this.#context = this.#options.context ?? new AudioContext({ latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule(WORKLET_URL).catch((cause) => {
      throw new VoiceError("audio_unavailable", "the recorder could not be loaded", { cause });
    });
    if (this.#context.state === "suspended") await this.#context.resume().catch(() => {});
    const { rateHz = 16_000, blockMs = 40 } = this.#options;
    const node = new AudioWorkletNode(this.#context, "vivavoce-recorder", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rateHz, blockMs },
    });
    node.port.onmessage = ({ data }) => (data ? this.#onSamples(data.samples, data.level) : this.#onFlushed());
    this.#context.createMediaStreamSource(this.#stream).connect(node);
    this.#node = node;
  }

  /** Stops, gives the last samples, and lets go of the microphone. */
  async close() {
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
    if (!this.#options.stream) for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    if (!this.#options.context && this.#context && this.#context.state !== "closed") await this.#context.close();
    this.#context = null;
  }
}
