import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Listener, transcribe, VoiceError } from "../src/index.js";

/** A connection that the test writes on. */
class FakeTransport {
  /** @type {any[]} */
  sent = [];
  /** @type {import("../src/wire/connection.js").TransportHandlers | null} */
  handlers = null;
  isClosed = false;

  /** @param {import("../src/wire/connection.js").TransportHandlers} handlers */
  async open(handlers) {
    this.handlers = handlers;
  }

  /** @param {string | Int16Array} data */
  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close() {
    this.isClosed = true;
  }

  /** @param {object} message */
  says(message) {
    this.handlers?.onMessage(JSON.stringify(message));
  }
}

/** @param {Partial<import("../src/listener.js").ListenerOptions>} [options] */
function listenerOver(options) {
  const transport = new FakeTransport();
  /** @type {any[]} */
  const events = [];
  /** @type {any} */
  const recorder = { open: async () => {}, close: async () => {} };
  const listener = new Listener({
    url: "http://127.0.0.1:7860",
    createTransport: async () => transport,
    createRecorder: (onSamples, onLost) => Object.assign(recorder, { say: onSamples, lose: onLost }),
    ...options,
  });
  for (const type of /** @type {const} */ (["state", "speech-started", "speech-stopped", "partial", "final", "level", "error", "done"])) {
    listener.on(type, (event) => events.push(event));
  }
  return { listener, transport, events, recorder };
}

test("bad options throw", () => {
  assert.throws(() => new Listener(), TypeError);
  assert.throws(() => new Listener({ url: "ftp://a" }), TypeError);
});

test("sound goes out, words come in, and one end is told", async () => {
  const { listener, transport, events, recorder } = listenerOver({ language: "en", words: true, translate: true, silenceMs: 300 });
  await listener.start();
  assert.equal(listener.state, "listening");
  const [config] = transport.sent;
  assert.deepEqual(config, { type: "session.config", encoding: "pcm", sample_rate: 16_000, language: "en", task: "translate", words: true, silence_ms: 300 });
  recorder.say(new Int16Array(640), 0.25);
  listener.flush();
  assert.equal(transport.sent[1].length, 640);
  assert.deepEqual(transport.sent[2], { type: "input.flush" });
  transport.says({ type: "speech.started", segment: 0, start_ms: 40 });
  transport.says({ type: "transcript.partial", segment: 0, text: "Hel", start_ms: 40, end_ms: 300 });
  transport.says({ type: "speech.stopped", segment: 0, end_ms: 900, reason: "pause" });
  transport.says({ type: "transcript.final", segment: 0, text: "Hello.", language: "en", start_ms: 40, end_ms: 900, words: [{ text: "Hello.", start_ms: 50, end_ms: 800 }] });
  const stopped = listener.stop();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(transport.sent[3], { type: "input.done" });
  assert.equal(listener.state, "finishing");
  transport.says({ type: "transcript.final", segment: 1, text: "Bye.", language: "en", start_ms: 950, end_ms: 990 });
  transport.says({ type: "session.done", status: "completed", duration_ms: 1000, segments: 2 });
  assert.equal(await stopped, "Hello. Bye.");
  assert.deepEqual(
    events.map(({ type }) => type),
    ["state", "state", "level", "speech-started", "partial", "speech-stopped", "final", "state", "final", "state", "done"],
  );
  const final = events.find(({ type }) => type === "final");
  assert.deepEqual(final.words, [{ text: "Hello.", startMs: 50, endMs: 800 }]);
  assert.ok(transport.isClosed);
  assert.equal(await listener.stop(), "Hello. Bye.");
});

test("a connection that is lost is told and ends it", async () => {
  const { listener, transport, events } = listenerOver();
  await listener.start();
  transport.says({ type: "error", error: { code: "server_overloaded", message: "the server is at capacity", type: "x", param: null } });
  transport.handlers?.onClose({ code: 1006, reason: "" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events.filter(({ type }) => type === "error").map(({ error }) => error.code), ["server_overloaded", "connection_lost"]);
  assert.equal(events.filter(({ type }) => type === "done").length, 1);
  assert.equal(listener.state, "off");
  await listener.start();
  assert.equal(listener.state, "listening");
});

test("a microphone that is refused rejects the start", async () => {
  const { listener, transport } = listenerOver({
    createRecorder: () => ({ open: async () => Promise.reject(new VoiceError("microphone_denied", "no")), close: async () => {} }),
  });
  await assert.rejects(listener.start(), { code: "microphone_denied" });
  assert.ok(transport.isClosed);
  assert.equal(listener.state, "off");
});

test("nonsense from a server is no message", async () => {
  const { listener, transport } = listenerOver();
  await listener.start();
  for (const data of ["?", "null", "{}", '{"type":"new"}']) transport.handlers?.onMessage(data);
  assert.equal(listener.state, "listening");
});

test("a recording is sent as a form, and its words come back", async () => {
  /** @type {{url?: string, body: string, key?: string}[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request.setEncoding("latin1")) body += part;
    asked.push({ url: request.url, body, key: request.headers.authorization });
    if (body.includes("nobody")) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"unknown model","code":"model_not_found","param":"model"}}');
      return;
    }
    response.end(JSON.stringify({ text: "Hi.", language: "english", duration: 1, segments: [{ text: " Hi.", start: 0, end: 1 }], words: [{ word: "Hi.", start: 0, end: 1 }] }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}`;
  try {
    const found = await transcribe(new Blob(["RIFF"]), { url, language: "en", words: true, apiKey: "a-key" });
    assert.deepEqual(found, { text: "Hi.", language: "english", duration: 1, segments: [{ text: "Hi.", start: 0, end: 1 }], words: [{ text: "Hi.", start: 0, end: 1 }] });
    assert.equal(asked[0].url, "/v1/audio/transcriptions");
    assert.equal(asked[0].key, "Bearer a-key");
    for (const part of ["RIFF", "verbose_json", 'name="language"', "word"]) assert.ok(asked[0].body.includes(part), part);
    await transcribe(new ArrayBuffer(4), { url, translate: true });
    assert.equal(asked[1].url, "/v1/audio/translations");
    await assert.rejects(transcribe(new Blob(["x"]), { url, model: "nobody" }), { code: "model_not_found", status: 404 });
    await assert.rejects(transcribe(/** @type {any} */ (5), { url }), TypeError);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  await assert.rejects(transcribe(new Blob(["x"]), { url }), { code: "connection_failed" });
});

test("a microphone that goes and leaves no other ends the listening with its reason, and with what was said", async () => {
  const { listener, transport, events, recorder } = listenerOver();
  await listener.start();
  recorder.lose(new VoiceError("microphone_missing", "there is no microphone"));
  assert.equal(events.find(({ type }) => type === "error").error.code, "microphone_missing");
  assert.equal(listener.state, "finishing");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(transport.sent.at(-1), { type: "input.done" });
  transport.says({ type: "transcript.final", segment: 0, text: "Hello.", language: "en", start_ms: 0, end_ms: 900 });
  transport.says({ type: "session.done" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events.at(-1), { type: "done", text: "Hello." });
});
