// What the Web Audio specification puts into an AudioWorkletGlobalScope; TypeScript's DOM library leaves it out.

declare const sampleRate: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new (options: AudioWorkletNodeOptions) => AudioWorkletProcessor): void;
