import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { VoiceClient } from "../src/index.js";
import { audio, FakePlayer, FakeTransport } from "./support/fakes.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A client whose transports are those given, in order. @param {...FakeTransport} transports */
function clientOver(...transports) {
  const player = new FakePlayer();
  /** @type {string[]} */
  const states = [];
  let tell = (/** @type {any} */ _message) => {};
  const client = new VoiceClient({
    url: "http://127.0.0.1:7860",
    voice: "mika",
    createPlayer: (listener) => {
      tell = listener;
      return player;
    },
    createTransport: async () => transports.shift() ?? new FakeTransport({ fails: true }),
    answerTimeoutMs: 5000,
  });
  client.on("state", ({ state }) => states.push(state));
  return { client, player, states, tell: (/** @type {any} */ message) => tell(message) };
}

/** @param {FakeTransport} transport */
function speakOneSecond(transport) {
  transport.says({ type: "audio.start", utterance_index: 0, sentence_index: 0, sentence_text: "Hello.", format: "pcm", sample_rate: 24_000 });
  transport.handlers?.onAudio(audio(1000));
}

test("bad options throw", () => {
  const bad = /** @type {any} */ ({ url: "http://a", transport: "pigeon" });
  assert.throws(() => new VoiceClient(bad), TypeError);
  assert.throws(() => new VoiceClient({ url: "ftp://a" }), TypeError);
  assert.throws(() => new VoiceClient(), TypeError);
  assert.throws(() => new VoiceClient({ url: "http://a", config: { speed: 100 } }), { code: "invalid_field" });
  const { client } = clientOver();
  assert.throws(() => client.speak(""), TypeError);
});

test("connects, speaks and tells its states", async () => {
  const transport = new FakeTransport();
  const { client, states, tell } = clientOver(transport);
  await client.connect();
  assert.deepEqual(client.voices.map(({ id }) => id), ["mika"]);
  const done = client.speak("Hello.");
  speakOneSecond(transport);
  tell({ type: "started", generation: 0, playedMs: 0 });
  transport.says({ type: "session.done", utterance_index: 0, total_sentences: 1, status: "completed", duration_ms: 1000 });
  tell({ type: "drained", generation: 0, playedMs: 1000 });
  assert.equal((await done).status, "completed");
  assert.deepEqual(states, ["connecting", "ready", "waiting", "speaking", "ready"]);
  const [config] = transport.sent;
  assert.deepEqual(config, { type: "session.config", timestamps: "word", response_format: "pcm", audio: "binary", voice: "mika" });
  await client.close();
  assert.equal(client.state, "closed");
});

test("speaking connects by itself", async () => {
  const transport = new FakeTransport();
  const { client } = clientOver(transport);
  void client.speak("Hello.");
  await settle();
  assert.deepEqual(transport.lines, ["session.config", "input.text Hello.", "input.done"]);
  await client.close();
});

test("a first connection that fails is told, and not tried again", async () => {
  const { client, states } = clientOver(new FakeTransport({ fails: true }));
  await assert.rejects(client.connect(), { name: "VoiceError", code: "connection_failed" });
  assert.deepEqual(states, ["connecting", "disconnected"]);
  const done = await client.speak("Hello.");
  assert.deepEqual([done.status, done.error?.code], ["failed", "connection_failed"]);
});

test("a lost connection comes back with backoff: the utterance in flight fails, the next one speaks", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [first, second] = [new FakeTransport(), new FakeTransport()];
  const { client, states } = clientOver(first, new FakeTransport({ fails: true }), second);
  await client.connect();
  const inFlight = client.speak("Hello.");
  first.ends(1006);
  assert.equal((await inFlight).status, "failed");
  void client.speak("Again.");
  t.mock.timers.tick(250);
  await settle();
  assert.equal(client.state, "reconnecting", "the second try failed");
  t.mock.timers.tick(500);
  await settle();
  assert.deepEqual(second.lines, ["session.config", "input.text Again.", "input.done"]);
  assert.deepEqual(states, ["connecting", "ready", "waiting", "reconnecting", "waiting"]);
  await client.close();
});

test("an idle connection that the server closes is opened again when there is something to say", async () => {
  const [first, second] = [new FakeTransport(), new FakeTransport()];
  const { client } = clientOver(first, second);
  await client.connect();
  first.says({ type: "session.closing", reason: "idle_timeout" });
  first.ends(1001, "idle_timeout");
  assert.equal(client.state, "disconnected");
  void client.speak("Hello.");
  await settle();
  assert.deepEqual(second.lines.slice(1), ["input.text Hello.", "input.done"]);
  await client.close();
});

test("a server that refuses this client is not asked again", async () => {
  const first = new FakeTransport();
  const { client } = clientOver(first);
  await client.connect();
  const done = client.speak("Hello.");
  first.ends(1008, "rate limit");
  assert.equal((await done).error?.code, "connection_lost");
  assert.equal(client.state, "disconnected");
});

test("a server that stops answering is left", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const first = new FakeTransport();
  const { client } = clientOver(first);
  await client.connect();
  const done = client.speak("Hello.");
  t.mock.timers.tick(5000);
  assert.equal((await done).error?.code, "no_answer");
  assert.ok(first.isClosed);
  await client.close();
});

test("a server that never greets is given up", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client } = clientOver(new FakeTransport({ greets: false }));
  const connecting = client.connect();
  await settle();
  t.mock.timers.tick(15_000);
  await assert.rejects(connecting, { code: "no_answer" });
});

test("messages of a newer server are passed over", async () => {
  const transport = new FakeTransport();
  const { client } = clientOver(transport);
  await client.connect();
  transport.says({ type: "weather.report", rain: true });
  assert.equal(client.state, "ready");
  await client.close();
});

test("configure is sticky, over a reconnection too", async () => {
  const [first, second] = [new FakeTransport(), new FakeTransport()];
  const { client } = clientOver(first, second);
  await client.connect();
  client.configure({ voice: "kenji", speed: 1.2 });
  assert.deepEqual(first.sent.at(-1), { type: "session.config", voice: "kenji", speed: 1.2 });
  first.ends(1000);
  await client.connect();
  const [config] = /** @type {any[]} */ (second.sent);
  assert.deepEqual([config.voice, config.speed], ["kenji", 1.2]);
  assert.throws(() => client.configure({ speed: 99 }), { code: "invalid_field" });
  await client.close();
});

test("reports become metrics and levels", async () => {
  const transport = new FakeTransport();
  const { client, tell } = clientOver(transport);
  const heard = mock.fn();
  client.on("metrics", heard);
  client.on("level", heard);
  await client.connect();
  const report = { type: "report", level: 0.2, state: "playing", generation: 0, playedMs: 50, bufferedMs: 300, targetMs: 70 };
  tell({ ...report, underruns: 0, underrunMs: 0, pauses: 0, pauseMs: 0, refusedMs: 0 });
  assert.deepEqual(heard.mock.calls.map(({ arguments: [event] }) => event.type), ["level", "metrics"]);
  assert.equal(heard.mock.calls[1].arguments[0].bufferedMs, 300);
  await client.close();
});

test("close ends everything and nothing speaks after it", async () => {
  const transport = new FakeTransport();
  const { client, player } = clientOver(transport);
  await client.connect();
  const done = client.speak("Hello.");
  await client.close();
  assert.equal((await done).status, "cancelled");
  assert.ok(transport.isClosed);
  assert.equal(player.calls.at(-1), "close");
  assert.throws(() => client.speak("More."), { code: "closed" });
  await assert.rejects(client.connect(), { code: "closed" });
});
