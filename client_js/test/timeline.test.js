import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline } from "../src/timeline.js";

const word = (/** @type {string} */ text, /** @type {number} */ start_ms) => ({ text, start_ms, end_ms: start_ms + 100 });
const brief = (/** @type {ReturnType<Timeline["advance"]>} */ events) => events.map((event) => `${event.type} ${event.text.trim()} @${event.start}`);

test("words and sentences come in order, each once, when playback reaches them", () => {
  const timeline = new Timeline(0);
  timeline.addText("The cat saw the cat. ");
  timeline.addText("Then it ran.");
  timeline.addSentence(0, "The cat saw the cat. ", 0);
  timeline.addWords([word("The", 0), word("cat", 200), word("saw", 400), word("the", 600), word("cat.", 700)], true);
  timeline.addSentence(1, "Then it ran.", 1000);
  timeline.addWords([word("Then", 1000), word("it", 1200), word("ran.", 1400)], true);
  assert.deepEqual(brief(timeline.advance(0)), ["sentence The cat saw the cat. @0", "word The @0"]);
  assert.deepEqual(brief(timeline.advance(650)), ["word cat @4", "word saw @8", "word the @12"]);
  assert.deepEqual(timeline.advance(650), []);
  assert.equal(timeline.heardText, "The cat saw the");
  assert.deepEqual(brief(timeline.advance(1100)), ["word cat. @16", "sentence Then it ran. @21", "word Then @21"]);
  assert.equal(timeline.heardText, "The cat saw the cat. Then");
  assert.deepEqual(brief(timeline.advance(Infinity)), ["word it @26", "word ran. @29"]);
});

test("words may arrive after a sentence that begins later", () => {
  const timeline = new Timeline(0);
  timeline.addText("One two. Three.");
  timeline.addSentence(0, "One two. ", 0);
  timeline.addSentence(1, "Three.", 500);
  timeline.addWords([word("One", 0), word("two.", 200)], true);
  assert.deepEqual(timeline.advance(Infinity).map((event) => event.text.trim()), ["One two.", "One", "two.", "Three."]);
});

test("a word that the text does not hold lights up where it should be", () => {
  const timeline = new Timeline(0);
  timeline.addText("It costs $5 now.");
  timeline.addSentence(0, "It costs $5 now.", 0);
  timeline.addWords([word("It", 0), word("costs", 100), word("five", 200), word("now.", 300)], true);
  const starts = timeline.advance(Infinity).map((event) => event.start);
  assert.ok(starts.every((start, i) => i === 0 || start >= starts[i - 1]));
});

test("nothing heard is an empty text", () => assert.equal(new Timeline(0).heardText, ""));
