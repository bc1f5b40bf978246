// The border of a player: where sound goes, and what it tells. Implemented by `player.js` and `track_player.js`, and by
// whoever passes `createPlayer`.

/**
 * @typedef {import("./player_core.js").PlayerMessage} PlayerMessage
 *
 * @typedef {{type: "needs-gesture"}} NeedsGestureEvent
 * @typedef {(message: PlayerMessage | NeedsGestureEvent) => void} PlayerListener
 *
 * @typedef {object} PlayerPort what a session does with it; a generation is an utterance's id
 * @property {(generation: number, rateHz: number) => void} begin sound of it is on its way
 * @property {(generation: number, samples: Int16Array, rateHz: number) => void} push
 * @property {(generation: number, startMs: number) => void} reach the sound that comes now begins there
 * @property {(generation: number) => void} rest all that was written has come; the text goes on
 * @property {(generation: number, durationMs: number) => void} end no more of it will come
 * @property {(generation: number) => void} clear silence it and all before it
 *
 * @typedef {PlayerPort & {
 *   ready: Promise<void>, output?: AudioNode | null, resume: () => Promise<void>, close: () => Promise<void>,
 *   attach?: (stream: MediaStream, peer: RTCPeerConnection) => void}} Player `attach`: takes the sound of a call
 */

export {};
