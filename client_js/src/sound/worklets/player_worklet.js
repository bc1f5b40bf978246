// Runs on the audio thread and only moves samples: blocks out of the player's core, its messages to the page.

import { PlayerCore } from "../player_core.js";

class PlayerProcessor extends AudioWorkletProcessor {
  #core;

  /** @param {AudioWorkletNodeOptions} options */
  constructor(options) {
    super();
    this.#core = new PlayerCore(sampleRate, options.processorOptions, (message) => this.port.postMessage(message));
    this.port.onmessage = ({ data }) => this.#core.receive(data);
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    this.#core.render(outputs[0][0]);
    return true;
  }
}

registerProcessor("vivavoce-player", PlayerProcessor);
