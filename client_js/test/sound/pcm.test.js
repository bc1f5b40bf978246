import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBase64, PcmDecoder } from "../../src/sound/pcm.js";

const SAMPLES = Int16Array.of(0, 1, -1, 32767, -32768, 258);
const BYTES = new Uint8Array(SAMPLES.buffer);

test("bytes cut anywhere give the same samples", () => {
  for (let size = 1; size <= BYTES.length; size += 1) {
    const decoder = new PcmDecoder();
    const samples = [];
    for (let at = 0; at < BYTES.length; at += size) samples.push(...decoder.feed(BYTES.subarray(at, at + size)));
    assert.deepEqual(samples, [...SAMPLES], `pieces of ${size}`);
  }
});

test("an empty piece between two halves of a sample loses nothing", () => {
  const decoder = new PcmDecoder();
  const pieces = [BYTES.subarray(2, 3), BYTES.subarray(0, 0), BYTES.subarray(3, 4)];
  assert.deepEqual(pieces.flatMap((piece) => [...decoder.feed(piece)]), [1]);
});

test("base64", () => assert.deepEqual(fromBase64("AAH/"), Uint8Array.of(0, 1, 255)));
