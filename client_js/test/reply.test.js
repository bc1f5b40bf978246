import assert from "node:assert/strict";
import { test } from "node:test";

import { cutAtWord } from "../src/reply.js";

test("a text is cut at a word, or at a character where there are no words", () => {
  assert.equal(cutAtWord("one two three", 5), "one");
  assert.equal(cutAtWord("one two three", 7), "one two");
  assert.equal(cutAtWord("one two three", 99), "one two three");
  assert.equal(cutAtWord("今日はいい天気", 3), "今日は");
  assert.equal(cutAtWord("one", 2), "");
});
