import assert from "node:assert/strict";
import { test } from "node:test";

import { TrackClock } from "../../src/sound/track_clock.js";

const brief = (/** @type {ReturnType<TrackClock["advance"]>} */ { playedMs, events }) => [playedMs, ...events.map(({ type, generation }) => `${type} ${generation}`)];

test("is heard a delay after it left the server", () => {
  const clock = new TrackClock();
  clock.reach(0, 0, 1000);
  assert.deepEqual(brief(clock.advance(1050)), [0]);
  assert.deepEqual(brief(clock.advance(1150)), [50, "started 0"]);
  clock.end(0, 400);
  assert.deepEqual(brief(clock.advance(1400)), [300]);
  assert.deepEqual(brief(clock.advance(1600)), [400, "drained 0"]);
  assert.ok(clock.isIdle);
});

test("the server's word sets the clock right after a silence", () => {
  const clock = new TrackClock();
  clock.reach(0, 0, 0);
  clock.reach(0, 500, 2000);
  assert.deepEqual(brief(clock.advance(2200)), [600, "started 0"]);
});

test("the next generation follows, and a cleared one ends without a word", () => {
  const clock = new TrackClock();
  clock.reach(0, 0, 0);
  clock.end(0, 100);
  clock.reach(1, 0, 150);
  assert.deepEqual(brief(clock.advance(300)), [50, "started 0", "drained 0", "started 1"]);
  clock.clear(1);
  assert.deepEqual(brief(clock.advance(400)), [0]);
  assert.ok(clock.isIdle);
});
