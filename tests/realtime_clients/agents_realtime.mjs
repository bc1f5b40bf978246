// @openai/agents-realtime in Node: a `RealtimeSession` over its WebSocket.

import { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebSocket, tool } from "@openai/agents-realtime";
import { z } from "zod";

import { ADDRESS, INSTRUCTIONS, SUNNY, Talk, hold } from "./conversation.mjs";

const talk = new Talk();
const weather = tool({
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: z.object({ city: z.string() }),
  execute: async (wanted) => {
    talk.calls.push(["get_weather", wanted]);
    talk.changed();
    return SUNNY;
  },
});
const agent = new RealtimeAgent({ name: "assistant", instructions: INSTRUCTIONS, tools: [weather] });
const address = `${ADDRESS.replace("http", "ws")}/v1/realtime?model=gpt-realtime`;
const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url: address }) });

session.on("audio", (event) => talk.hear(event.responseId, event.data));
session.on("audio_interrupted", () => {
  talk.interruptions += 1;
  talk.changed();
});
session.on("transport_event", (event) => {
  if (event.type === "response.done") talk.finished += 1;
  if (event.type === "conversation.item.input_audio_transcription.completed") talk.words.push(event.transcript);
  talk.changed();
});
session.on("error", (event) => talk.errors.push(JSON.stringify(event)));
await session.connect({ apiKey: "any" });

await hold(talk, (pcm) => {
  for (let at = 0; at < pcm.length; at += 4800) {
    const piece = pcm.subarray(at, at + 4800);
    session.sendAudio(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length));
  }
});
