// Runs inside the page (`installRecording`), before its own scripts: keeps a copy of every sample on its way to the loudspeakers, and of
// every word that lights up. Whatever goes to a destination goes to a recorder too; the copy of a call's track, which
// an audio element plays, is recognised by the analyser it goes to.

export function installRecording(recorderUrl) {
  const connect = AudioNode.prototype.connect;
  const recorders = new WeakMap();
  const worklet = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "audioWorklet").get;
  const worklets = { get: (context) => worklet.call(context) }; // ours, also where a test takes the page's away
  const recording = { rate: 0, blocks: [], words: [], starts: [] };
  globalThis.recording = recording;

  const recorderOf = (context) => {
    if (!recorders.has(context)) recorders.set(context, openRecorder(context));
    return recorders.get(context);
  };

  const openRecorder = async (context) => {
    recording.rate = context.sampleRate;
    await AudioWorklet.prototype.addModule.call(worklets.get(context), recorderUrl);
    const node = new AudioWorkletNode(context, "recorder");
    node.port.onmessage = ({ data }) => recording.blocks.push(data);
    connect.call(node, context.destination);
    return node;
  };

  AudioNode.prototype.connect = function recorded(target, ...rest) {
    const isMicrophone = this instanceof MediaStreamAudioSourceNode; // on its way to being measured
    const isHeard = !isMicrophone && (target instanceof AudioDestinationNode || target instanceof AnalyserNode);
    if (isHeard && recorderUrl) recorderOf(this.context).then((recorder) => connect.call(this, recorder));
    return connect.call(this, target, ...rest);
  };

  addEventListener("DOMContentLoaded", () => {
    const backdrop = document.getElementById("backdrop");
    if (!backdrop) return;
    new MutationObserver(() => {
      const word = backdrop.querySelector("mark");
      if (!word) return;
      const start = backdrop.querySelector(".said").textContent.length;
      if (recording.starts.at(-1) === start) return;
      recording.starts.push(start);
      recording.words.push(word.textContent);
    }).observe(backdrop, { childList: true, subtree: true });
  });
}

/** The recorder itself, on the audio thread: a busy page must not make holes in what was heard. */
export const RECORDER = `
  class Recorder extends AudioWorkletProcessor {
    process([[input]]) {
      if (input) this.#add(input);
      return true;
    }
    #block = new Float32Array(2048);
    #filled = 0;
    #add(input) {
      this.#block.set(input, this.#filled);
      this.#filled += input.length;
      if (this.#filled < this.#block.length) return;
      this.port.postMessage(this.#block.slice());
      this.#filled = 0;
    }
  }
  registerProcessor("recorder", Recorder);
`;

/** The samples since a block, as base64 of 32-bit floats. */
export function recordedSince(from) {
  const blocks = globalThis.recording.blocks.slice(from);
  const bytes = new Uint8Array(blocks.length * 2048 * 4);
  blocks.forEach((block, i) => bytes.set(new Uint8Array(block.buffer), i * 2048 * 4));
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
