// The fixtures that the server's tests read too: both sides must accept, refuse and write the same.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { VoiceError } from "../../src/errors.js";
import { parse, parseClient, serialize } from "../../src/wire/messages.js";

const FOLDER = new URL("../../../tests/fixtures/messages/", import.meta.url);
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

test("there are fixtures", () => assert.ok(names.length > 40));

for (const name of names) {
  const fixture = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  const data = fixture.raw ?? JSON.stringify(fixture.message);
  const read = fixture.direction === "client" ? parseClient : parse;

  test(`${name} is ${fixture.valid ? "read" : "refused"}`, () => {
    if (fixture.valid) assert.deepEqual(read(data), fixture.parsed ?? fixture.message);
    else assert.throws(() => read(data), { name: "VoiceError", code: fixture.error, param: fixture.param ?? null });
  });

  if (fixture.direction === "client" && fixture.valid) {
    test(`${name} is written as it was read`, () => {
      assert.deepEqual(JSON.parse(serialize(parseClient(data))), fixture.parsed ?? fixture.message);
    });
  }
}

test("a bad value is refused before it is sent", () => {
  const refused = (/** @type {unknown} */ error) => error instanceof VoiceError && error.code === "invalid_field" && error.param === "speed";
  assert.throws(() => serialize({ type: "session.config", speed: 9 }), refused);
});
