import assert from "node:assert/strict";
import { test } from "node:test";

import { Loudness } from "../../src/sound/loudness.js";

test("a voice is louder than its room, whatever the room", () => {
  for (const room of [0.0002, 0.004, 0.03]) {
    const loudness = new Loudness();
    const before = Array.from({ length: 200 }, (_, i) => loudness.isLoud(room * (1 + 0.2 * (i % 3))));
    assert.ok(!before.slice(150).includes(true), `a room of ${room} is no voice`);
    assert.ok(loudness.isLoud(Math.max(0.02, room * 6)));
  }
});
