import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../src/sound/resampler.js";
import { SampleQueue } from "../../src/sound/sample_queue.js";
import { amplitudeAt, sine } from "../support/sound.js";

const decibels = (/** @type {number} */ ratio) => 20 * Math.log10(ratio);

/** @param {Int16Array} samples @param {number} from @param {number} to @param {number} [pieces] */
function resample(samples, from, to, pieces = 1) {
  const queue = new SampleQueue();
  const resampler = new Resampler(from, to);
  const output = [];
  const size = Math.ceil(samples.length / pieces);
  for (let at = 0; at < samples.length; at += size) {
    queue.push(samples.slice(at, at + size));
    for (let n = resampler.available(queue.length, false); n > 0; n -= 1) output.push(resampler.next(queue));
  }
  for (let n = resampler.available(queue.length, true); n > 0; n -= 1) output.push(resampler.next(queue));
  assert.equal(queue.length, 0);
  return Float32Array.from(output);
}

for (const [from, to] of [[24_000, 48_000], [32_000, 48_000], [24_000, 44_100], [48_000, 44_100], [48_000, 16_000], [22_050, 48_000]]) {
  test(`${from} to ${to} Hz keeps length and pitch, and makes no images`, () => {
    const output = resample(sine(1000, 1, from), from, to);
    assert.ok(Math.abs(output.length - to) <= 2, `${output.length} samples`);
    const middle = output.subarray(Math.round(to * 0.1), Math.round(to * 0.9));
    assert.ok(Math.abs(decibels(amplitudeAt(middle, 1000, to) / 0.5)) < 0.05);
    const image = Math.abs(from - 1000);
    if (image < to / 2) assert.ok(decibels(amplitudeAt(middle, image, to) / 0.5) < -75);
  });
}

test("what the lower rate cannot hold is filtered out, not folded down", () => {
  const output = resample(sine(11_000, 1, 48_000), 48_000, 16_000);
  const middle = output.subarray(1600, 14_400);
  assert.ok(decibels(amplitudeAt(middle, 5000, 16_000) / 0.5) < -75);
});

test("the top of speech passes: 10 kHz of 24 kHz sound is within 1 dB", () => {
  const output = resample(sine(10_000, 1, 24_000), 24_000, 48_000);
  assert.ok(Math.abs(decibels(amplitudeAt(output.subarray(4800, 43_200), 10_000, 48_000) / 0.5)) < 1);
});

test("equal rates give the samples themselves", () => {
  const samples = sine(440, 0.1, 48_000);
  assert.deepEqual(resample(samples, 48_000, 48_000), Float32Array.from(samples, (sample) => sample / 32768));
});

test("how the input is cut changes nothing", () => {
  const samples = sine(700, 0.2, 24_000);
  assert.deepEqual(resample(samples, 24_000, 44_100, 97), resample(samples, 24_000, 44_100));
});
