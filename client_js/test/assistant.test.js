import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Assistant } from "../src/assistant.js";
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
    createPlayer: () => player,
    createTransport: async () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return transport;
    },
    ...options,
  });
  for (const type of /** @type {const} */ (["state", "transcript", "reply", "functioncall", "error"])) assistant.on(type, (event) => events.push(event));
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
