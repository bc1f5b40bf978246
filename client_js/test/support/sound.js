// Sounds that tests make and measure.

/**
 * A sine, 16 bits.
 * @param {number} hz
 * @param {number} seconds
 * @param {number} rateHz
 * @param {number} [amplitude] 0..1
 */
export function sine(hz, seconds, rateHz, amplitude = 0.5) {
  return Int16Array.from({ length: Math.round(seconds * rateHz) }, (_, i) => 32767 * amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/**
 * Amplitude of one frequency in a sound (a single DFT bin, Hann window).
 * @param {Float32Array} samples
 * @param {number} hz
 * @param {number} rateHz
 */
export function amplitudeAt(samples, hz, rateHz) {
  let re = 0;
  let im = 0;
  for (let i = 0; i < samples.length; i += 1) {
    const window = 1 - Math.cos((2 * Math.PI * i) / samples.length);
    re += samples[i] * window * Math.cos((2 * Math.PI * hz * i) / rateHz);
    im += samples[i] * window * Math.sin((2 * Math.PI * hz * i) / rateHz);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

/** Largest step between neighbours: a click is a large one. @param {Float32Array} samples */
export function largestStep(samples) {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) largest = Math.max(largest, Math.abs(samples[i] - samples[i - 1]));
  return largest;
}

/**
 * What a buffer plays in that time, in the blocks of an audio thread.
 * @param {import("../../src/sound/playback_buffer.js").PlaybackBuffer} buffer
 * @param {number} seconds
 * @param {number} rateHz
 */
export function pull(buffer, seconds, rateHz) {
  const blocks = Math.round((seconds * rateHz) / 128);
  const output = new Float32Array(blocks * 128);
  for (let i = 0; i < blocks; i += 1) buffer.pull(output.subarray(i * 128, (i + 1) * 128));
  return output;
}
