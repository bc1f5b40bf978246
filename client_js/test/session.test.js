import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { VoiceError } from "../src/errors.js";
import { SpeechSession } from "../src/session.js";
import { audio, FakePlayer, LIMITS } from "./support/fakes.js";

/** @type {import("../src/wire/messages.js").ClientMessage[]} */
let sent;
/** @type {import("../src/session.js").SessionEvent[]} */
let events;
/** @type {FakePlayer} */
let player;
/** @type {SpeechSession} */
let session;
let nowMs = 0;

beforeEach(() => {
  sent = [];
  events = [];
  nowMs = 0;
  player = new FakePlayer();
  session = new SpeechSession({ send: (message) => sent.push(message), player, emit: (event) => events.push(event), now: () => nowMs });
});

const lines = () => sent.map((message) => (message.type === "input.text" ? `input.text ${message.text}` : message.type));
const types = () => events.map(({ type }) => type);
const connect = () => session.connected(LIMITS, { voice: "mika" });
const words = (/** @type {[string, number][]} */ ...pairs) => pairs.map(([text, start_ms]) => ({ text, start_ms, end_ms: start_ms + 50 }));

/** The server answers one sentence. @param {number} utterance_index @param {string} text @param {number} ms */
function answer(utterance_index, text, ms) {
  session.receive({ type: "audio.start", utterance_index, sentence_index: 0, sentence_text: text, format: "pcm", sample_rate: 24_000 });
  session.receive({ type: "audio.timestamps", utterance_index, words: words(["Hello", 0], ["there.", 200]), estimated: true });
  session.receiveAudio(audio(ms));
}

/** @param {number} utterance_index @param {"completed" | "cancelled" | "failed"} status @param {object} [more] */
function finish(utterance_index, status, more = {}) {
  session.receive({ type: "session.done", utterance_index, total_sentences: 1, status, duration_ms: 400, ...more });
}

test("an utterance from its first character to its end", async () => {
  connect();
  const utterance = session.write("Hello ");
  session.write("there.");
  session.end();
  assert.deepEqual(lines(), ["session.config", "input.text Hello ", "input.text there.", "input.done"]);
  assert.equal(session.activity, "waiting");
  answer(0, "Hello there.", 400);
  nowMs = 90;
  session.started(0);
  assert.equal(session.activity, "speaking");
  finish(0, "completed");
  assert.deepEqual(player.calls, ["begin 0", "push 0 9600", "end 0"]);
  session.played(0, 100);
  session.drained(0, 400);
  assert.deepEqual(types(), ["audio-start", "sentence", "word", "word", "done"]);
  assert.deepEqual(events[0], { type: "audio-start", utterance: 0, firstAudioMs: 90 });
  assert.deepEqual(await utterance.done, { type: "done", utterance: 0, status: "completed", heard: "Hello there.", playedMs: 400, error: null });
  assert.equal(session.activity, "ready");
});

test("text written before the connection is sent once it is there", () => {
  session.write("Hello there.");
  session.end();
  assert.deepEqual(lines(), []);
  connect();
  assert.deepEqual(lines(), ["session.config", "input.text Hello there.", "input.done"]);
});

test("the next utterance leaves when the server has answered the one before, while that one still sounds", () => {
  connect();
  session.write("Hello there.");
  session.end();
  session.write("More.");
  session.end();
  assert.deepEqual(lines().slice(3), []);
  answer(0, "Hello there.", 400);
  finish(0, "completed");
  assert.deepEqual(lines().slice(3), ["input.text More.", "input.done"]);
  assert.deepEqual(types(), []);
});

test("cancel silences at once, tells the server how far, and what was heard comes from it", async () => {
  connect();
  const utterance = session.write("Hello there.");
  answer(0, "Hello there.", 400);
  session.played(0, 120);
  assert.equal(session.cancel(), utterance);
  assert.deepEqual(player.calls.at(-1), "clear 0");
  assert.deepEqual(lines().slice(2), ["playback.position", "input.cancel"]);
  assert.deepEqual(sent.at(-2), { type: "playback.position", utterance_index: 0, played_ms: 120 });
  session.receiveAudio(audio(100));
  session.receive({ type: "playback.heard", utterance_index: 0, text: "Hello", played_ms: 120 });
  finish(0, "cancelled");
  assert.deepEqual(events.slice(-2).map(({ type }) => type), ["heard", "done"]);
  assert.equal((await utterance.done).heard, "Hello");
  assert.ok(!player.calls.includes("push 0 2400"), "nothing of it plays after the cancel");
});

test("cancel of what the server has finished needs no server", async () => {
  connect();
  const utterance = session.write("Hello there.");
  session.end();
  answer(0, "Hello there.", 400);
  finish(0, "completed");
  session.played(0, 150);
  session.cancel();
  assert.deepEqual(lines().filter((line) => line === "input.cancel"), []);
  assert.deepEqual(await utterance.done, { type: "done", utterance: 0, status: "cancelled", heard: "Hello", playedMs: 150, error: null });
});

test("cancel drops what waits, and cancelling twice changes nothing", async () => {
  connect();
  session.write("Hello there.");
  session.end();
  const second = session.write("Never said.");
  session.cancel();
  session.cancel();
  assert.equal((await second.done).status, "cancelled");
  finish(0, "cancelled");
  session.cancel();
  assert.deepEqual(lines().filter((line) => line === "input.cancel"), ["input.cancel"]);
  assert.deepEqual(types().filter((type) => type === "done"), ["done", "done"]);
});

test("text written after a cancel is a new utterance, sent when the old one is done", () => {
  connect();
  session.write("Hello there.");
  session.cancel();
  session.write("Something else.");
  assert.ok(!lines().includes("input.text Something else."));
  finish(0, "cancelled");
  assert.ok(lines().includes("input.text Something else."));
});

test("a lost connection fails the utterance in flight, plays what came, and keeps what waits", async () => {
  connect();
  const first = session.write("Hello there.");
  session.end();
  const second = session.write("More.");
  session.end();
  answer(0, "Hello there.", 400);
  session.lost(new VoiceError("connection_lost", "gone"));
  assert.deepEqual(types(), ["error"]);
  assert.equal(player.calls.at(-1), "end 0");
  session.drained(0, 400);
  assert.equal((await first.done).status, "failed");
  assert.equal((await first.done).error?.code, "connection_lost");
  connect();
  assert.deepEqual(lines().slice(-2), ["input.text More.", "input.done"]);
  answer(0, "More.", 100);
  finish(0, "completed");
  session.drained(1, 100);
  assert.equal((await second.done).status, "completed");
});

test("a lost connection ends a cancel that waits for its answer", async () => {
  connect();
  const utterance = session.write("Hello there.");
  session.cancel();
  session.lost(new VoiceError("connection_lost", "gone"));
  assert.equal((await utterance.done).status, "cancelled");
});

test("when no connection will come, all that waits fails", async () => {
  const first = session.write("Hello there.");
  session.end();
  const second = session.write("More.");
  session.abandon(new VoiceError("connection_failed", "refused"));
  assert.deepEqual([(await first.done).status, (await second.done).status], ["failed", "failed"]);
});

test("an error of the server belongs to its utterance", async () => {
  connect();
  const utterance = session.write("Hello there.");
  session.end();
  const error = { message: "unknown voice 'x'", type: "invalid_request_error", param: "voice", code: "voice_not_found" };
  session.receive({ type: "error", error, utterance_index: 0 });
  finish(0, "failed", { duration_ms: 0 });
  const done = await utterance.done;
  assert.deepEqual([done.status, done.error?.code, done.error?.param], ["failed", "voice_not_found", "voice"]);
  assert.deepEqual(types(), ["error", "done"]);
});

test("a long text is sent as fast as it is spoken, so that the server's limit is never met", () => {
  session.connected({ ...LIMITS, max_buffered_chars: 40 }, {});
  const text = "One two three four five. Six seven eight nine ten. Eleven twelve.";
  session.write(text);
  session.end();
  assert.deepEqual(lines().slice(1), [`input.text ${text.slice(0, 30)}`]);
  answer(0, "One two three four five. ", 100);
  assert.equal(lines().at(-1), `input.text ${text.slice(30, 55)}`);
  answer(0, "Six seven eight nine ten. ", 100);
  assert.deepEqual(lines().slice(-2), [`input.text ${text.slice(55)}`, "input.done"]);
});

test("the server hears of playback four times a second", () => {
  connect();
  session.write("Hello there.");
  answer(0, "Hello there.", 4000);
  for (nowMs = 1000; nowMs < 2000; nowMs += 50) session.played(0, nowMs - 1000);
  assert.equal(lines().filter((line) => line === "playback.position").length, 4);
});

test("the player is told when the text, not the network, is what it waits for", () => {
  connect();
  session.write("Hello there. And");
  const done = () => session.receive({ type: "audio.done", utterance_index: 0, sentence_index: 0, total_bytes: 0, error: false });
  answer(0, "Hello there. ", 100);
  done();
  assert.ok(!player.calls.includes("rest 0"), "the server still owes sound");
  answer(0, "And", 100);
  done();
  assert.equal(player.calls.at(-1), "rest 0");
});

test("flush speaks what is there", () => {
  connect();
  session.flush();
  session.write("Hello");
  session.flush();
  assert.deepEqual(lines().slice(1), ["input.text Hello", "input.flush"]);
});

test("base64 sound is played too", () => {
  connect();
  session.write("Hello there.");
  answer(0, "Hello there.", 10);
  session.receive({ type: "audio.delta", audio: "AAABAA==" });
  assert.equal(player.calls.at(-1), "push 0 2");
});
