import assert from "node:assert/strict";
import { test } from "node:test";

import { CaptureBuffer } from "../../src/sound/capture_buffer.js";

/** @param {number} rateHz @param {number} seconds */
const tone = (rateHz, seconds) => Float32Array.from({ length: rateHz * seconds }, (_, k) => 0.5 * Math.sin((2 * Math.PI * 440 * k) / rateHz));

/** @param {CaptureBuffer} buffer @param {Float32Array} sound @param {number} step */
function through(buffer, sound, step) {
  const blocks = [];
  for (let k = 0; k < sound.length; k += step) blocks.push(...buffer.push(sound.subarray(k, k + step)));
  return [...blocks, ...buffer.flush()];
}

for (const rateHz of [16_000, 44_100, 48_000, 8000]) {
  test(`a tone at ${rateHz} Hz stays that tone at 16 kHz`, () => {
    const blocks = through(new CaptureBuffer(rateHz), tone(rateHz, 1), 128);
    const samples = blocks.flatMap(({ samples: each }) => [...each]);
    assert.ok(Math.abs(samples.length - 16_000) <= 2, `${samples.length} samples`);
    const wanted = tone(16_000, 1);
    for (let k = 200; k < 15_800; k += 1) assert.ok(Math.abs(samples[k] / 32_767 - wanted[k]) < 0.01, `sample ${k}`);
    for (const { samples: each } of blocks.slice(0, -1)) assert.equal(each.length, 640);
    assert.ok(Math.abs(blocks[5].level - 0.5 / Math.SQRT2) < 0.01);
  });
}

test("what is above half the rate does not come back as something else", () => {
  const high = Float32Array.from({ length: 48_000 }, (_, k) => 0.5 * Math.sin((2 * Math.PI * 12_000 * k) / 48_000));
  const blocks = through(new CaptureBuffer(48_000), high, 128).slice(2, -2);
  assert.ok(blocks.every(({ level }) => level < 0.001));
});

test("samples that are no numbers, or too loud, are bounded", () => {
  const blocks = through(new CaptureBuffer(16_000), new Float32Array([NaN, 5, -5, Infinity]), 4);
  assert.deepEqual([...blocks[0].samples], [0, 32_767, -32_767, 32_767]);
});
