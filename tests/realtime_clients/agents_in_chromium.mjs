// @openai/agents-realtime in Chromium over WebRTC: a microphone that plays what it is given, and a recorder behind the
// loudspeaker. The page gets a short-lived key from the server, as a browser should.

import { fileURLToPath } from "node:url";

import { launch } from "../browser/chromium.mjs";
import { ADDRESS, INSTRUCTIONS, SUNNY, Talk, hold } from "./conversation.mjs";

const BUNDLE = "node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.umd.js";
const talk = new Talk();

/** Runs in the page: connects, and tells Node what happens through `window.told`. */
async function connect({ instructions, sunny }) {
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC, tool } = window.OpenAIAgentsRealtime;
  const context = new AudioContext({ sampleRate: 24000 });
  const microphone = context.createMediaStreamDestination();
  const audioElement = document.createElement("audio");
  audioElement.autoplay = true;
  const asked = await fetch("/v1/realtime/client_secrets", { method: "POST" });
  const secret = (await asked.json()).value;
  const weather = tool({
    name: "get_weather",
    description: "Get the weather of a city.",
    strict: false,
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    execute: async (wanted) => {
      await window.told("call", ["get_weather", wanted]);
      return sunny;
    },
  });
  const agent = new RealtimeAgent({ name: "assistant", instructions, tools: [weather] });
  const baseUrl = `${location.origin}/v1/realtime/calls`;
  const transport = new OpenAIRealtimeWebRTC({ baseUrl, mediaStream: microphone.stream, audioElement });
  const session = new RealtimeSession(agent, { transport });
  let reply = null;
  session.on("transport_event", (event) => {
    if (event.type === "output_audio_buffer.started") reply = event.response_id;
    if (event.type === "output_audio_buffer.cleared") reply = null;
    if (event.type === "output_audio_buffer.stopped") {
      const ended = reply; // its last frames are still on their way
      setTimeout(() => (reply = reply === ended ? null : reply), 400);
    }
    if (event.type === "response.done") window.told("done", event.response.status);
    if (event.type === "conversation.item.input_audio_transcription.completed") window.told("words", event.transcript);
  });
  session.on("error", (event) => window.told("error", JSON.stringify(event)));
  await session.connect({ apiKey: secret });
  const recorder = context.createScriptProcessor(2048, 1, 1);
  recorder.onaudioprocess = (event) => {
    if (reply === null) return;
    const pcm = Int16Array.from(event.inputBuffer.getChannelData(0), (sample) => sample * 32767);
    window.told("sound", [reply, btoa(String.fromCharCode(...new Uint8Array(pcm.buffer)))]);
  };
  context.createMediaStreamSource(audioElement.srcObject).connect(recorder).connect(context.destination);
  window.speak = (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
    const buffer = context.createBuffer(1, samples.length, 24000);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(microphone);
    source.start();
  };
}

function told(kind, value) {
  if (kind === "sound") talk.hear(value[0], Buffer.from(value[1], "base64"));
  if (kind === "call") talk.calls.push(value);
  if (kind === "words") talk.words.push(value);
  if (kind === "error") talk.errors.push(value);
  if (kind === "done") {
    talk.finished += 1;
    talk.interruptions += value === "cancelled" ? 1 : 0;
  }
  talk.changed();
}

const browser = await launch();
process.on("exit", () => void browser.close());
const page = await (await browser.newContext({ bypassCSP: true })).newPage();
await page.exposeFunction("told", told);
await page.goto(ADDRESS);
await page.addScriptTag({ path: fileURLToPath(new URL(BUNDLE, import.meta.url)) });
await page.evaluate(connect, { instructions: INSTRUCTIONS, sunny: SUNNY });

await hold(talk, (pcm) => page.evaluate((encoded) => window.speak(encoded), pcm.toString("base64")));
