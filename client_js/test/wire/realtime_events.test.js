import assert from "node:assert/strict";
import { test } from "node:test";

import { parseEvent } from "../../src/wire/realtime_events.js";

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
