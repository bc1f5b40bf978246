// The page's own bookkeeping: what of a growing text was given to the voice. It lies outside any package, hence the load.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";

const source = readFileSync(new URL("../../server/vivavoce/web/page/script.js", import.meta.url), "utf8");
const { Script } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

/** @type {any} */
let script;

beforeEach(() => {
  script = new Script();
  script.begin("Hello there. ", 0);
});

test("text is given once, and its words are found again", () => {
  assert.equal(script.take(13), "Hello there. ");
  assert.equal(script.take(13), "");
  script.place(0, 0);
  assert.equal(script.locate(0, 6), 6);
  assert.equal(script.locate(7, 0), null);
});

test("only whole words are given: the one under the pen may still change", () => {
  script.take(13);
  script.edit("Hello there. How are yo");
  assert.equal(script.take(script.wholeWords), "How are ");
  assert.equal(script.take(script.wholeWords), "");
  script.edit("Hello there. How are your");
  script.edit("Hello there. How are your things? ");
  assert.equal(script.take(script.wholeWords), "your things? ");
});

test("Japanese and Chinese have no spaces: their marks end a piece", () => {
  script.begin("", 0);
  script.edit("今日は、いい");
  assert.equal(script.take(script.wholeWords), "今日は、");
});

test("what is put in before the spoken words moves them", () => {
  script.take(6);
  script.place(0, 0);
  script.take(13);
  script.place(1, 6);
  assert.deepEqual(script.edit("Oh! Hello there. "), { at: 0, by: 4 });
  assert.equal(script.locate(1, 0), 10);
  assert.equal(script.take(17), "", "what was changed before the voice's place is not said again");
});

test("what is taken out of the spoken words takes the place along", () => {
  script.take(13);
  script.edit("Hello. ");
  assert.equal(script.committed, 7);
  script.edit("Hello. More. ");
  assert.equal(script.take(13), "More. ");
});

test("reading begins anywhere", () => {
  script.begin("One. Two. Three.", 5);
  assert.equal(script.take(10), "Two. ");
});
