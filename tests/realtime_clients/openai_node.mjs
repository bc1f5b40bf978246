// openai-node's `OpenAIRealtimeWS`, which insists on wss: the listener has a certificate of the test's own authority.

import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

import { ADDRESS, INSTRUCTIONS, SUNNY, Talk, hold } from "./conversation.mjs";

const client = new OpenAI({ apiKey: "any", baseURL: `${ADDRESS}/v1` });
const realtime = new OpenAIRealtimeWS({ model: "gpt-realtime" }, client);
const talk = new Talk();

const weather = {
  type: "function",
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const audio = { input: { transcription: { model: "whisper-1" } } };

realtime.on("session.created", () => {
  realtime.send({ type: "session.update", session: { type: "realtime", instructions: INSTRUCTIONS, audio, tools: [weather] } });
});
realtime.on("response.output_audio.delta", (event) => talk.hear(event.response_id, Buffer.from(event.delta, "base64")));
realtime.on("response.done", (event) => {
  talk.finished += 1;
  talk.interruptions += event.response.status === "cancelled" ? 1 : 0;
  talk.changed();
});
realtime.on("conversation.item.input_audio_transcription.completed", (event) => talk.words.push(event.transcript));
realtime.on("response.function_call_arguments.done", (event) => {
  talk.calls.push([event.name, JSON.parse(event.arguments)]);
  const item = { type: "function_call_output", call_id: event.call_id, output: SUNNY };
  realtime.send({ type: "conversation.item.create", item });
  realtime.send({ type: "response.create" });
  talk.changed();
});
realtime.on("error", (error) => talk.errors.push(String(error)));
await new Promise((resolve) => realtime.on("session.updated", resolve));

await hold(talk, (pcm) => {
  for (let at = 0; at < pcm.length; at += 4800) {
    const piece = pcm.subarray(at, at + 4800).toString("base64");
    realtime.send({ type: "input_audio_buffer.append", audio: piece });
  }
});
