// Runs on the audio thread and only moves samples: blocks of the microphone into the capture buffer, full ones out.

import { CaptureBuffer } from "../capture_buffer.js";

class RecorderProcessor extends AudioWorkletProcessor {
  #buffer;
  #isOver = false;

  /** @param {AudioWorkletNodeOptions} options */
  constructor(options) {
    super();
    const { rateHz, blockMs } = options.processorOptions;
    this.#buffer = new CaptureBuffer(sampleRate, rateHz, blockMs);
    this.port.onmessage = () => {
      this.#tell(this.#buffer.flush());
      this.#isOver = true;
      this.port.postMessage(null);
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const [channel] = inputs[0];
    if (channel) this.#tell(this.#buffer.push(channel));
    return !this.#isOver;
  }

  /** @param {{samples: Int16Array, level: number}[]} blocks */
  #tell(blocks) {
    for (const block of blocks) this.port.postMessage(block, [block.samples.buffer]);
  }
}

registerProcessor("vivavoce-recorder", RecorderProcessor);
