import assert from "node:assert/strict";
import { test } from "node:test";

import { backoffMs } from "../../src/wire/backoff.js";

test("doubles up to its bound", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 1000].map((n) => backoffMs(n, 0)), [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

test("is scattered below, never above", () => {
  assert.equal(backoffMs(2, 1), 700);
  assert.equal(backoffMs(2, 0.5), 850);
});
