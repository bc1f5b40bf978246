import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Conversation } from "../src/conversation.js";
import { FakePlayer } from "./support/fakes.js";

/** A second of sound, as it travels. */
const SECOND = Buffer.alloc(48_000).toString("base64");
const ANSWER = "Paris is the capital of France.";

/** @type {Conversation} */
let conversation;
/** @type {FakePlayer} */
let player;
/** @type {any[]} */
let sent;
/** @type {any[]} */
let events;
let now = 0;

/** @param {boolean} [isCall] */
function begin(isCall = false) {
  [sent, events, player, now] = [[], [], new FakePlayer(), 1000];
  conversation = new Conversation({
    isCall,
    player,
    send: (command) => sent.push(command),
    emit: (event) => events.push(event),
    now: () => now,
  });
  conversation.connected({ type: "realtime" });
  sent = [];
}

const hears = (/** @type {any[]} */ ...received) => received.forEach((event) => conversation.receive(event));
const ofType = (/** @type {string} */ type) => events.filter((event) => event.type === type);
const sentTypes = () => sent.map(({ type }) => type);

/** The user asks something by voice. */
function ask(text = "What is the capital of France?") {
  conversation.sent(3000);
  hears(
    { type: "input_audio_buffer.speech_started", item_id: "q", audio_start_ms: 500 },
    { type: "input_audio_buffer.speech_stopped", item_id: "q", audio_end_ms: 2600 },
    { type: "input_audio_buffer.committed", item_id: "q" },
    { type: "conversation.item.input_audio_transcription.completed", item_id: "q", transcript: text },
  );
}

/** The assistant answers, with word times where they are given. @param {any[]} [words] */
function answer(words) {
  const place = { response_id: "r", item_id: "a" };
  hears(
    { type: "response.created", response: { id: "r", status: "in_progress" } },
    { type: "response.output_audio_transcript.delta", ...place, delta: ANSWER },
    ...(words ? [{ type: "vivavoce.words", ...place, start_ms: 0, words, estimated: false }] : []),
    { type: "response.output_audio.delta", ...place, delta: SECOND },
    { type: "response.output_audio.delta", ...place, delta: SECOND },
  );
}

const ends = () => hears({ type: "response.output_audio.done", response_id: "r", item_id: "a" }, { type: "response.done", response: { id: "r", status: "completed" } });
const WORDS = ANSWER.split(" ").map((text, i) => ({ text, start_ms: i * 300, end_ms: i * 300 + 250 }));

beforeEach(() => begin());

test("the floor goes from the user to thought, to the assistant, and back", () => {
  assert.equal(conversation.activity, "listening");
  hears({ type: "input_audio_buffer.speech_started", item_id: "q", audio_start_ms: 500 });
  assert.ok(conversation.isUserSpeaking);
  ask();
  assert.ok(!conversation.isUserSpeaking);
  assert.equal(conversation.activity, "thinking");
  answer();
  assert.equal(conversation.activity, "thinking", "nothing is heard yet");
  conversation.started(0);
  assert.equal(conversation.activity, "speaking");
  ends();
  assert.equal(conversation.activity, "speaking", "the rest is on its way to the ear");
  conversation.drained(0, 2000);
  assert.equal(conversation.activity, "listening");
});

test("sound is played as it comes, and its end is told", () => {
  answer();
  ends();
  assert.deepEqual(player.calls, ["begin 0", "push 0 24000", "push 0 24000", "end 0"]);
});

test("words light up as they are heard", () => {
  answer(WORDS);
  conversation.started(0);
  conversation.played(0, 350);
  conversation.played(0, 620);
  assert.deepEqual(ofType("word").map(({ id, text, start }) => [id, text, start]), [["a", "Paris", 0], ["a", "is", 6], ["a", "the", 9]]);
});

test("an interruption is silence in the same tick, and the server is told what was heard", () => {
  ask();
  answer(WORDS);
  conversation.started(0);
  conversation.played(0, 620);
  now += 30;
  hears({ type: "input_audio_buffer.speech_started", item_id: "q2", audio_start_ms: 4000 });
  assert.equal(player.calls.at(-1), "clear 0");
  assert.deepEqual(sent, [
    { type: "conversation.item.truncate", item_id: "a", content_index: 0, audio_end_ms: 650 },
    { type: "conversation.item.retrieve", item_id: "a" },
  ]);
  assert.equal(ofType("reply").at(-1).heard, "Paris is the");
  assert.equal(conversation.activity, "listening");
  const before = player.calls.length;
  hears({ type: "response.output_audio.delta", response_id: "r", item_id: "a", delta: SECOND });
  assert.equal(player.calls.length, before, "what is still on its way is ignored");
});

test("without word times, what was heard is the share that was played, cut at a word", () => {
  answer();
  conversation.started(0);
  conversation.played(0, 1000);
  conversation.interrupt();
  assert.equal(ofType("reply").at(-1).heard, "Paris is the");
});

test("the server's own word on what was heard counts", () => {
  answer(WORDS);
  conversation.started(0);
  conversation.played(0, 620);
  conversation.interrupt();
  const part = { type: "output_audio", transcript: "Paris is" };
  hears({ type: "conversation.item.retrieved", item: { id: "a", type: "message", content: [part] } });
  assert.equal(ofType("reply").at(-1).heard, "Paris is");
  hears({ type: "conversation.item.retrieved", item: { id: "a", type: "message", content: [{ ...part, transcript: "Something else" }] } });
  assert.equal(ofType("reply").at(-1).heard, "Paris is", "a text that is not the reply's beginning is none of it");
});

test("an answer that nobody has heard yet is cut to nothing", () => {
  answer(WORDS);
  conversation.interrupt();
  assert.deepEqual(sentTypes(), ["response.cancel", "conversation.item.truncate", "conversation.item.retrieve"]);
  assert.equal(sent[1].audio_end_ms, 0);
  assert.equal(ofType("reply").at(-1).heard, "");
});

test("what is written interrupts, and is asked", () => {
  answer(WORDS);
  conversation.write("Never mind.", "w");
  assert.deepEqual(sentTypes(), ["response.cancel", "conversation.item.truncate", "conversation.item.retrieve", "conversation.item.create", "response.create"]);
  assert.equal(conversation.activity, "thinking");
  assert.deepEqual(ofType("transcript").at(-1), { type: "transcript", id: "w", text: "Never mind.", isFinal: true });
});

test("a text that is read out is told to the conversation, and its sound is none of the server's items", () => {
  conversation.say("Dinner is ready.", "s");
  const [response, item] = sent;
  assert.equal(response.response.conversation, "none");
  assert.deepEqual([item.item.role, item.item.content[0].text], ["assistant", "Dinner is ready."]);
  sent = [];
  hears({ type: "response.created", response: { id: "r", status: "in_progress", metadata: { vivavoce: "say" } } });
  hears({ type: "response.output_audio.delta", response_id: "r", item_id: "a", delta: SECOND });
  conversation.started(0);
  conversation.interrupt();
  assert.deepEqual(sentTypes(), ["response.cancel"]);
});

test("a turn is timed from the end of the speech", () => {
  ask(); // 400 ms of sound came after it
  now += 100;
  hears({ type: "response.created", response: { id: "r", status: "in_progress" } }, { type: "vivavoce.metrics", response_id: "r", stage: "first_words" });
  now += 50;
  answer();
  conversation.started(0);
  assert.deepEqual(ofType("metrics").at(-1), { type: "metrics", turn: 0, by: "speech", certainMs: 400, wordsMs: 400, thoughtMs: 500, soundMs: 550 });
});

test("silence that was taken for a question is not waited for", () => {
  ask("");
  assert.equal(conversation.activity, "listening");
  assert.deepEqual(ofType("transcript").at(-1), { type: "transcript", id: "q", text: "", isFinal: true });
});

test("a function is called, and its result asked about where nothing was said yet", () => {
  const call = { type: "response.function_call_arguments.done", response_id: "r", call_id: "c", name: "get_weather", arguments: '{"city":"Rome"}' };
  hears({ type: "response.created", response: { id: "r", status: "in_progress" } }, call, { type: "response.done", response: { id: "r", status: "completed" } });
  assert.deepEqual(ofType("functioncall"), [{ type: "functioncall", callId: "c", name: "get_weather", arguments: { city: "Rome" } }]);
  assert.equal(conversation.activity, "listening");
  conversation.answerCall("c", "sunny");
  assert.deepEqual(sentTypes(), ["conversation.item.create", "response.create"]);
});

test("a function whose reply was spoken with it needs no second one", () => {
  answer();
  hears({ type: "response.function_call_arguments.done", response_id: "r", call_id: "c", name: "set_timer", arguments: "nonsense" });
  assert.deepEqual(ofType("functioncall")[0].arguments, {});
  conversation.answerCall("c", "{}");
  assert.deepEqual(sentTypes(), ["conversation.item.create"]);
});

test("after a loss, the next connection is told what was said, as far as it was heard", () => {
  ask();
  answer(WORDS);
  conversation.started(0);
  conversation.played(0, 620);
  conversation.lost();
  assert.equal(conversation.activity, "listening");
  sent = [];
  conversation.connected({ type: "realtime" });
  assert.deepEqual(sent.map(({ item }) => item && [item.role, item.content[0].type, item.content[0].text]), [
    undefined,
    ["user", "input_text", "What is the capital of France?"],
    ["assistant", "output_text", "Paris is the"],
  ]);
});

test("of a page that stood still, what was heard before counts, however late that is told", () => {
  answer(WORDS);
  conversation.started(0);
  conversation.played(0, 620);
  const fellAsleepAt = now + 30;
  now += 60_000;
  conversation.lost(fellAsleepAt);
  assert.equal(ofType("reply").at(-1).heard, "Paris is the");
});

test("the memory of a long conversation is bounded", () => {
  for (let i = 0; i < 100; i += 1) conversation.write(`question ${i}`, `w${i}`);
  sent = [];
  conversation.connected({ type: "realtime" });
  assert.equal(sent.length, 41);
});

test("errors are told, but for those of commands that came too late", () => {
  hears({ type: "error", error: { type: "invalid_request_error", code: "response_cancel_not_active", message: "none" } });
  assert.equal(events.length, 0);
  hears({ type: "error", error: { type: "server_error", code: "server_overloaded", message: "too many" } });
  assert.equal(events[0].error.code, "server_overloaded");
});

test("on a call the sound is a track: the server tells when it begins and ends, and counts what was heard", () => {
  begin(true);
  const place = { response_id: "r", item_id: "a" };
  hears(
    { type: "response.created", response: { id: "r", status: "in_progress" } },
    { type: "response.output_audio_transcript.delta", ...place, delta: ANSWER },
    { type: "output_audio_buffer.started", response_id: "r" },
  );
  assert.deepEqual(player.calls, ["begin 0"]);
  conversation.started(0);
  now += 500;
  hears({ type: "vivavoce.words", ...place, start_ms: 400, words: WORDS, estimated: false });
  conversation.played(0, 620);
  conversation.interrupt();
  assert.deepEqual(sentTypes(), ["response.cancel", "output_audio_buffer.clear", "conversation.item.retrieve"]);
  assert.equal(player.calls.at(-1), "clear 0");
});

test("a call's reply ends when its track has", () => {
  begin(true);
  hears(
    { type: "response.created", response: { id: "r", status: "in_progress" } },
    { type: "response.output_audio_transcript.delta", response_id: "r", item_id: "a", delta: ANSWER },
    { type: "output_audio_buffer.started", response_id: "r" },
  );
  now += 2000;
  hears({ type: "output_audio_buffer.stopped", response_id: "r" });
  assert.deepEqual(player.calls, ["begin 0", "end 0"]);
});
