import assert from "node:assert/strict";
import { test } from "node:test";

import { PLAYBACK_DEFAULTS, PlaybackBuffer } from "../../src/sound/playback_buffer.js";
import { amplitudeAt, largestStep, pull, sine } from "../support/sound.js";

const RATE = 24_000;
const CARD = 48_000;
/** The largest step of the test tone itself: 440 Hz at half amplitude. */
const TONE_STEP = (0.5 * 2 * Math.PI * 440) / CARD;

const tone = (/** @type {number} */ seconds, amplitude = 0.5) => sine(440, seconds, RATE, amplitude);
const types = (/** @type {PlaybackBuffer} */ buffer) => buffer.takeEvents().map(({ type, generation }) => `${type} ${generation}`);
const soundIn = (/** @type {Float32Array} */ output) => output.some((sample) => Math.abs(sample) > 0.01);

test("waits for the target, then plays", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.06), RATE);
  assert.ok(!soundIn(pull(buffer, 0.5, CARD)));
  assert.equal(buffer.report().state, "filling");
  buffer.push(0, tone(0.03), RATE);
  assert.ok(soundIn(pull(buffer, 0.01, CARD)));
  assert.deepEqual(types(buffer), ["started 0"]);
});

test("the end of a short utterance plays at once", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.02), RATE);
  buffer.end(0);
  pull(buffer, 0.05, CARD);
  assert.deepEqual(types(buffer), ["started 0", "drained 0"]);
  assert.equal(buffer.report().state, "idle");
  assert.ok(Math.abs(buffer.report().playedMs - 20) < 0.1);
});

test("an utterance without sound drains at once", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.end(3);
  assert.deepEqual(types(buffer), ["drained 3"]);
});

test("every sample is played, whole and in order, however the chunks came", () => {
  const whole = new PlaybackBuffer(CARD);
  const cut = new PlaybackBuffer(CARD);
  const samples = tone(1);
  whole.push(0, samples.slice(), RATE);
  for (let at = 0; at < samples.length; at += 333) cut.push(0, samples.slice(at, at + 333), RATE);
  for (const buffer of [whole, cut]) buffer.end(0);
  const output = pull(whole, 1.1, CARD);
  assert.deepEqual(pull(cut, 1.1, CARD), output);
  assert.ok(Math.abs(amplitudeAt(output.subarray(4800, 43_200), 440, CARD) - 0.5) < 0.01);
  assert.ok(Math.abs(whole.report().playedMs - 1000) < 0.1);
});

test("an underrun fades out and in without a click, raises the target, and is counted", () => {
  const buffer = new PlaybackBuffer(CARD);
  const samples = tone(0.46);
  const push = (/** @type {number} */ from, /** @type {number} */ to) => buffer.push(0, samples.slice(from * RATE, to * RATE), RATE);
  push(0, 0.2);
  const before = pull(buffer, 0.5, CARD);
  assert.equal(buffer.report().underruns, 0, "not counted before it is known that the utterance goes on");
  push(0.2, 0.26);
  const between = pull(buffer, 0.1, CARD);
  assert.ok(!soundIn(between), "waits for the whole target again");
  push(0.26, 0.46);
  buffer.end(0);
  const after = pull(buffer, 0.5, CARD);
  const { underruns, underrunMs, targetMs, playedMs } = buffer.report();
  assert.equal(underruns, 1);
  assert.ok(Math.abs(underrunMs - 400) < 5, `${underrunMs} ms`);
  assert.ok(targetMs > 88 && targetMs <= 90, `${targetMs} ms`);
  assert.ok(Math.abs(playedMs - 460) < 0.1, "nothing is lost");
  const step = largestStep(Float32Array.of(...before, ...between, ...after));
  assert.ok(step < TONE_STEP * 1.3, `largest step ${step}, of the tone ${TONE_STEP}`);
});

test("running dry at the end of an utterance is no underrun", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.2), RATE);
  pull(buffer, 0.5, CARD);
  buffer.end(0);
  pull(buffer, 0.1, CARD);
  const { underruns, underrunMs, targetMs } = buffer.report();
  assert.deepEqual([underruns, underrunMs, targetMs], [0, 0, PLAYBACK_DEFAULTS.startMs]);
});

test("the target never passes its bound, and comes down in calm times", () => {
  const buffer = new PlaybackBuffer(CARD);
  for (let i = 0; i < 20; i += 1) {
    buffer.push(0, tone(0.35), RATE);
    pull(buffer, 0.5, CARD);
  }
  assert.ok(buffer.report().targetMs <= PLAYBACK_DEFAULTS.maxTargetMs);
  assert.ok(buffer.report().targetMs > PLAYBACK_DEFAULTS.maxTargetMs - 5);
  buffer.push(0, tone(60), RATE);
  pull(buffer, 50, CARD);
  assert.ok(Math.abs(buffer.report().targetMs - 200) < 5);
});

test("waiting for text that is not yet written is no underrun", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.05), RATE);
  buffer.rest(0);
  assert.ok(soundIn(pull(buffer, 0.5, CARD)), "a short beginning is not held back");
  buffer.push(0, tone(0.2), RATE);
  buffer.end(0);
  pull(buffer, 0.5, CARD);
  const { underruns, pauses, playedMs } = buffer.report();
  assert.deepEqual([underruns, pauses], [0, 0]);
  assert.ok(Math.abs(playedMs - 250) < 0.1);
});

test("a pause in the speech is lengthened rather than a word broken", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.3), RATE);
  buffer.push(0, new Int16Array(RATE * 0.05), RATE);
  buffer.push(0, tone(0.02), RATE);
  pull(buffer, 0.5, CARD);
  assert.equal(buffer.report().state, "filling");
  assert.ok(buffer.report().bufferedMs > 20, "the word after the pause has not begun");
  buffer.push(0, tone(0.3), RATE);
  pull(buffer, 0.1, CARD);
  const { underruns, pauses, pauseMs } = buffer.report();
  assert.deepEqual([underruns, pauses], [0, 1]);
  assert.ok(pauseMs > 150 && pauseMs < 200, `${pauseMs} ms`);
});

test("a pause of a listener's notice counts as an underrun", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.3), RATE);
  buffer.push(0, new Int16Array(RATE * 0.05), RATE);
  pull(buffer, 1, CARD);
  buffer.push(0, tone(0.3), RATE);
  pull(buffer, 0.1, CARD);
  assert.deepEqual([buffer.report().underruns, buffer.report().pauses], [1, 0]);
});

test("clear fades out in 5 ms and forgets what came and what still comes", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(1), RATE);
  const before = pull(buffer, 0.1, CARD);
  buffer.clear(0);
  buffer.push(0, tone(1), RATE);
  const after = pull(buffer, 0.1, CARD);
  assert.ok(soundIn(after.subarray(0, 200)));
  assert.ok(after.subarray(240).every((sample) => sample === 0));
  assert.ok(largestStep(Float32Array.of(...before.subarray(480), ...after)) < TONE_STEP * 1.2);
  assert.deepEqual(types(buffer), ["started 0", "cleared 0"]);
  assert.ok(Math.abs(buffer.report().playedMs - 106.3) < 0.2);
});

test("generations play one after another, each with its own time", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(0.2), RATE);
  buffer.push(1, sine(440, 0.2, 32_000), 32_000);
  buffer.end(0);
  buffer.end(1);
  pull(buffer, 0.3, CARD);
  assert.deepEqual(types(buffer), ["started 0", "drained 0", "started 1"]);
  assert.equal(buffer.report().generation, 1);
  assert.ok(Math.abs(buffer.report().playedMs - 100) < 3);
});

test("clearing one generation leaves the next", () => {
  const buffer = new PlaybackBuffer(CARD);
  buffer.push(0, tone(1), RATE);
  buffer.push(1, tone(0.2), RATE);
  buffer.end(1);
  pull(buffer, 0.1, CARD);
  buffer.clear(0);
  pull(buffer, 0.3, CARD);
  assert.deepEqual(types(buffer), ["started 0", "cleared 0", "started 1", "drained 1"]);
});

test("holds minutes of speech, and counts what is beyond its bound", () => {
  const buffer = new PlaybackBuffer(CARD);
  for (let i = 0; i < 605; i += 1) buffer.push(0, new Int16Array(RATE), RATE);
  assert.equal(buffer.report().bufferedMs, 600_000);
  assert.equal(buffer.report().refusedMs, 5000);
});

test("the cost of a block does not depend on how much came at once", () => {
  const buffer = new PlaybackBuffer(CARD);
  let taken = 0;
  const samples = new Proxy(tone(10), { get: (target, key) => (typeof key === "string" && /^\d+$/.test(key) && (taken += 1), Reflect.get(target, key)) });
  buffer.push(0, samples, RATE);
  pull(buffer, 0.1, CARD);
  taken = 0;
  pull(buffer, 128 / CARD, CARD);
  assert.equal(taken, 64);
});
