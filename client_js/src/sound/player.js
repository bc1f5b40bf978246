// Plays samples through Web Audio: one AudioContext at the rate the browser gives, the playback buffer on its thread.
//
// Pages served without TLS from another machine have no AudioWorklet; there the same core runs in a
// ScriptProcessorNode, on the page's own thread. Used by client.js and speech.js.

import { VoiceError } from "../errors.js";
import { PlayerCore } from "./player_core.js";

/**
 * @typedef {import("./player_core.js").PlayerCommand} PlayerCommand
 * @typedef {import("./player_core.js").PlayerMessage} PlayerMessage
 * @typedef {import("./border.js").PlayerListener} PlayerListener
 *
 * @typedef {object} PlayerOptions
 * @property {AudioContext} [context] to play in; made where absent
 * @property {Partial<import("./playback_buffer.js").PlaybackOptions>} [buffer]
 */

const WORKLET_URL = new URL("./worklets/player_worklet.js", import.meta.url);
const SCRIPT_BLOCK = 1024;

export class AudioPlayer {
  #context;
  #ownsContext;
  #listener;
  /** @type {PlayerCommand[] | null} commands that came before the worklet was there */
  #early = [];
  /** @type {(command: PlayerCommand) => void} */
  #post = (command) => {
    this.#early?.push(command);
  };
  #isSounding = false;
  #askedForGesture = false;

  /**
   * Call it in a click or key handler: browsers let sound begin only there.
   * @param {PlayerListener} listener told what is heard, and that a gesture is needed
   * @param {PlayerOptions} [options]
   */
  constructor(listener, { context, buffer = {} } = {}) {
    this.#context = context ?? new AudioContext({ latencyHint: "interactive" });
    this.#ownsContext = !context;
    this.#listener = listener;
    /** Everything that is played passes through here: connect an analyser, or change the volume. */
    this.output = this.#context.createGain();
    this.output.connect(this.#context.destination);
    this.#context.addEventListener("statechange", this.#checkGesture);
    void this.resume();
    /** Resolves once sound can be made. */
    this.ready = this.#open(buffer);
    this.ready.catch(() => {}); // told to whoever awaits it
  }

  /** Milliseconds between a sample leaving the buffer and its being heard. */
  get latencyMs() {
    const { outputLatency, baseLatency } = this.#context;
    return 1000 * (outputLatency || baseLatency || 0);
  }

  /** Lets the sound begin; to be called in a click or key handler after `needs-gesture`. */
  async resume() {
    if (this.#context.state !== "running" && this.#context.state !== "closed") await this.#context.resume().catch(() => {});
  }

  begin() {
    this.#isSounding = true;
    this.#checkGesture();
  }

  /** @param {number} generation @param {Int16Array} samples taken over @param {number} rateHz */
  push(generation, samples, rateHz) {
    this.#post({ type: "push", generation, samples, rateHz });
  }

  /** Nothing to do: the samples themselves tell. */
  reach() {}

  /** @param {number} generation */
  rest(generation) {
    this.#post({ type: "rest", generation });
  }

  /** @param {number} generation */
  end(generation) {
    this.#post({ type: "end", generation });
  }

  /** @param {number} generation */
  clear(generation) {
    this.#post({ type: "clear", generation });
  }

  async close() {
    this.#context.removeEventListener("statechange", this.#checkGesture);
    this.#post = () => {};
    this.output.disconnect();
    if (this.#ownsContext && this.#context.state !== "closed") await this.#context.close();
  }

  /** @param {Partial<import("./playback_buffer.js").PlaybackOptions>} options */
  async #open(options) {
    this.#post = this.#context.audioWorklet ? await this.#openWorklet(options) : this.#openScript(options);
    for (const command of this.#early ?? []) this.#post(command);
    this.#early = null;
  }

  /** @param {Partial<import("./playback_buffer.js").PlaybackOptions>} options */
  async #openWorklet(options) {
    await this.#context.audioWorklet.addModule(WORKLET_URL).catch((cause) => {
      throw new VoiceError("audio_unavailable", "the audio player could not be loaded", { cause });
    });
    const node = new AudioWorkletNode(this.#context, "vivavoce-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: options,
    });
    node.port.onmessage = ({ data }) => this.#tell(data);
    node.connect(this.output);
    return (/** @type {PlayerCommand} */ command) => {
      node.port.postMessage(command, command.type === "push" ? [command.samples.buffer] : []);
    };
  }

  /** @param {Partial<import("./playback_buffer.js").PlaybackOptions>} options */
  #openScript(options) {
    const core = new PlayerCore(this.#context.sampleRate, options, (message) => this.#tell(message));
    const node = this.#context.createScriptProcessor(SCRIPT_BLOCK, 0, 1);
    node.onaudioprocess = ({ outputBuffer }) => core.render(outputBuffer.getChannelData(0));
    node.connect(this.output);
    return (/** @type {PlayerCommand} */ command) => core.receive(command);
  }

  /** @param {PlayerMessage} message */
  #tell(message) {
    if (message.type === "report") this.#isSounding = message.state !== "idle";
    this.#listener(message);
  }

  #checkGesture = () => {
    const isSilenced = this.#context.state !== "running" && this.#context.state !== "closed";
    if (!isSilenced) this.#askedForGesture = false;
    else if (this.#isSounding && !this.#askedForGesture) {
      this.#askedForGesture = true;
      this.#listener({ type: "needs-gesture" });
    }
  };
}
