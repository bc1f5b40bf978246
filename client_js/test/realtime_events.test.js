import assert from "node:assert/strict";
import { test } from "node:test";

import { Loudness } from "../src/sound/loudness.js";
import { cutAtWord } from "../src/reply.js";
import { parseEvent } from "../src/wire/realtime_events.js";

test("events are read without the fields that nobody asked for", () => {
  const event = parseEvent('{"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i","output_index":0,"delta":"AAA="}');
  assert.deepEqual(event, { type: "response.output_audio.delta", response_id: "r", item_id: "i", delta: "AAA=" });
});

test("events that cannot be read are refused with a reason", () => {
  for (const [data, code] of [
    ["{", "invalid_json"],
    ["[]", "invalid_json"],
    ['{"type":"rate_limits.updated"}', "unknown_type"],
    ['{"type":"constructor"}', "unknown_type"],
    ['{"type":"error"}', "missing_field"],
    ['{"type":"response.done","response":{"id":"r","status":"strange"}}', "invalid_field"],
    ['{"type":"response.created","response":{"id":"r","status":"in_progress","metadata":{"a":1}}}', "invalid_field"],
  ]) {
    assert.throws(() => parseEvent(data), { code }, data);
  }
});

test("a text is cut at a word, or at a character where there are no words", () => {
  assert.equal(cutAtWord("one two three", 5), "one");
  assert.equal(cutAtWord("one two three", 7), "one two");
  assert.equal(cutAtWord("one two three", 99), "one two three");
  assert.equal(cutAtWord("今日はいい天気", 3), "今日は");
  assert.equal(cutAtWord("one", 2), "");
});

test("a voice is louder than its room, whatever the room", () => {
  for (const room of [0.0002, 0.004, 0.03]) {
    const loudness = new Loudness();
    const before = Array.from({ length: 200 }, (_, i) => loudness.isLoud(room * (1 + 0.2 * (i % 3))));
    assert.ok(!before.slice(150).includes(true), `a room of ${room} is no voice`);
    assert.ok(loudness.isLoud(Math.max(0.02, room * 6)));
  }
});
