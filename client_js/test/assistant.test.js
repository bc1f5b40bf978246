import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Assistant } from "../src/assistant.js";
import { FakePage } from "./support/devices.js";
import { FakePlayer, FakeTransport } from "./support/fakes.js";

/** @type {FakeTransport[]} */
let transports;
/** @type {any[]} */
let events;
/** @type {FakePlayer} */
let player;
/** @type {Assistant} */
let assistant;

/** @param {import("../src/assistant.js").AssistantOptions} [options] */
function begin(options = {}) {
  [transports, events, player] = [[], [], new FakePlayer()];
  assistant = new Assistant({
    url: "http://speech.test",
    transport: "websocket",
    backoff: { firstMs: 1, maxMs: 1 },
    createPlayer: (listener) => {
      player.tell = listener;
      return player;
    },
    createTransport: async () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return transport;
    },
    ...options,
  });
  for (const type of /** @type {const} */ (["state", "transcript", "reply", "functioncall", "error", "slept"])) assistant.on(type, (event) => events.push(event));
}

const sent = (/** @type {number} */ i = transports.length - 1) => /** @type {any[]} */ (transports[i].sent);
const says = (/** @type {object[]} */ ...messages) => messages.forEach((message) => transports[transports.length - 1].says(message));
const states = () => events.filter(({ type }) => type === "state").map(({ state }) => state);
const soon = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => begin());

test("bad options throw", () => {
  assert.throws(() => new Assistant({ url: "http://speech.test", transport: /** @type {any} */ ("pigeon") }), /transport must be/);
  assert.throws(() => new Assistant({ url: "ftp://speech.test" }), /http/);
  assert.throws(() => new Assistant(), /url is needed/);
});

test("what is written connects, without a microphone, and is asked", async () => {
  await assistant.send("Hello?");
  assert.ok(!assistant.hears);
  assert.deepEqual(sent().map(({ type }) => type), ["session.update", "conversation.item.create", "response.create"]);
  assert.deepEqual(states(), ["connecting", "listening", "thinking"]);
  await assistant.stop();
  assert.equal(assistant.state, "idle");
  assert.equal(player.calls.at(-1), "close");
  assert.ok(transports[0].isClosed);
});

test("the session is set up as the options say, and anew when they change", async () => {
  begin({ instructions: "Be kind.", voice: "mika", tools: [{ name: "beep", parameters: { type: "object" }, run: () => 1 }] });
  await assistant.start({ microphone: false });
  const [{ session }] = sent();
  assert.equal(session.instructions, "Be kind.");
  assert.deepEqual(session.audio.output, { format: { type: "audio/pcm", rate: 24_000 }, voice: "mika" });
  assert.deepEqual(session.tools, [{ type: "function", name: "beep", parameters: { type: "object" } }]);
  assert.deepEqual(session.audio.input.turn_detection, { type: "semantic_vad" });
  assistant.configure({ turnDetection: null, voice: "heart" });
  assert.equal(sent().at(-1).session.audio.input.turn_detection, null);
  assert.equal(sent().at(-1).session.audio.output.voice, "heart");
  await assistant.stop();
});

test("a function is run, and its result or its failure sent", async () => {
  begin({
    tools: [
      { name: "add", run: ({ a, b }) => a + b },
      { name: "fail", run: () => Promise.reject(new Error("no bell")) },
      { name: "manual" },
    ],
  });
  await assistant.start({ microphone: false });
  const call = (/** @type {string} */ name, args = "{}") => says({ type: "response.function_call_arguments.done", response_id: "r", call_id: name, name, arguments: args });
  call("add", '{"a":1,"b":2}');
  await soon();
  assert.deepEqual(sent().at(-2).item, { type: "function_call_output", call_id: "add", output: "3" });
  call("fail");
  await soon();
  assert.equal(sent().at(-2).item.output, '{"error":"no bell"}');
  const before = sent().length;
  call("manual");
  await soon();
  assert.equal(sent().length, before);
  assistant.answer("manual", "done");
  assert.equal(sent().at(-2).item.output, "done");
  await assistant.stop();
});

test("a lost connection opens again, and is told what was said", async () => {
  await assistant.send("Remember the milk.");
  transports[0].ends(1006);
  assert.equal(events.find(({ type }) => type === "error").error.code, "connection_lost");
  while (transports.length < 2 || sent().length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(sent().map(({ type }) => type), ["session.update", "conversation.item.create"]);
  assert.equal(sent()[1].item.content[0].text, "Remember the milk.");
  await assistant.stop();
});

test("what was said is remembered over a stop", async () => {
  await assistant.send("Remember the milk.");
  await assistant.stop();
  await assistant.start({ microphone: false });
  assert.equal(sent()[1].item.content[0].text, "Remember the milk.");
  await assistant.stop();
});

/** A reply of two seconds on its way, of which some was heard. @param {Assistant} speaking */
async function beginToSpeak(speaking) {
  await speaking.send("Tell me a story.");
  const place = { response_id: "r", item_id: "a" };
  says(
    { type: "response.created", response: { id: "r", status: "in_progress" } },
    { type: "response.output_audio_transcript.delta", ...place, delta: "Once upon a time there was a boat." },
    { type: "response.output_audio.delta", ...place, delta: Buffer.alloc(96_000).toString("base64") },
  );
  player.tell({ type: "started", generation: 0 });
  player.tell({ type: "report", generation: 0, playedMs: 900, level: 0 });
}

test("a page that stood still plays nothing old, and goes on over a new connection", async () => {
  let wall = 0;
  begin({ life: { page: new FakePage(), wall: () => wall } });
  await beginToSpeak(assistant);
  wall += 30_000;
  const old = transports[0];
  old.says({ type: "response.output_audio.delta", response_id: "r2", item_id: "b", delta: Buffer.alloc(48_000).toString("base64") });
  assert.equal(player.calls.at(-1), "clear 0");
  assert.ok(old.isClosed);
  assert.deepEqual(events.filter(({ type }) => type === "slept"), [{ type: "slept", ms: 30_000 }]);
  assert.deepEqual(events.filter(({ type }) => type === "error"), []);
  assert.equal(events.findLast(({ type }) => type === "reply").heard, "Once upon a", "as far as it was heard before");
  while (transports.length < 2 || sent().length < 3) await soon();
  assert.deepEqual(sent().slice(1).map(({ item }) => item.content[0].text), ["Tell me a story.", "Once upon a"]);
  old.says({ type: "response.output_audio.delta", response_id: "r3", item_id: "c", delta: Buffer.alloc(48_000).toString("base64") });
  assert.equal(player.calls.at(-1), "clear 0");
  assert.equal(assistant.state, "listening");
  await assistant.stop();
});

test("a page that is about to be frozen falls silent, and tells the server what was heard", async () => {
  const page = new FakePage();
  begin({ life: { page, wall: () => 0 } });
  await beginToSpeak(assistant);
  page.dispatchEvent(new Event("freeze"));
  assert.equal(player.calls.at(-1), "clear 0");
  assert.deepEqual(sent(0).slice(-3).map(({ type }) => type), ["response.cancel", "conversation.item.truncate", "conversation.item.retrieve"]);
  page.dispatchEvent(new Event("resume"));
  while (transports.length < 2) await soon();
  assert.equal(events.filter(({ type }) => type === "slept").length, 1);
  await assistant.stop();
});

test("a server that cannot be reached after a sleep is tried again", async () => {
  let [wall, fails] = [0, false];
  const createTransport = async () => {
    const transport = new FakeTransport({ fails });
    transports.push(transport);
    return transport;
  };
  begin({ life: { page: new FakePage(), wall: () => wall }, createTransport });
  await assistant.start({ microphone: false });
  [wall, fails] = [60_000, true];
  says({ type: "session.updated", session: {} });
  while (transports.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(assistant.state, "connecting");
  fails = false;
  while (/** @type {string} */ (assistant.state) !== "listening") await new Promise((resolve) => setTimeout(resolve, 1));
  await assistant.stop();
});

test("a server that owes an answer and says nothing is left", async () => {
  begin({ answerTimeoutMs: 5 });
  await assistant.send("Hello?");
  while (transports.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(events.find(({ type }) => type === "error").error.code, "no_answer");
  await assistant.stop();
});

test("a first connection that fails is told to the caller, and everything is free again", async () => {
  begin({ createTransport: async () => new FakeTransport({ fails: true }) });
  await assert.rejects(assistant.start({ microphone: false }), { code: "connection_failed" });
  assert.equal(assistant.state, "idle");
});

test("nothing is said that is empty", async () => {
  await assert.rejects(assistant.send("  "), TypeError);
  await assert.rejects(assistant.say(""), TypeError);
});
