// The AI SDK's live transcription: sound goes in as a stream, words come out as one.

import { readFile } from "node:fs/promises";

import { createOpenAI } from "@ai-sdk/openai";
import { experimental_streamTranscribe as streamTranscribe } from "ai";

const [address, ...clips] = process.argv.slice(2);
const openai = createOpenAI({ apiKey: "any", baseURL: `${address}/v1` });
const texts = [];
for (const clip of clips) {
  const pcm = await readFile(clip);
  const audio = new ReadableStream({
    start(controller) {
      for (let at = 0; at < pcm.length; at += 4800) controller.enqueue(new Uint8Array(pcm.subarray(at, at + 4800)));
      controller.close();
    },
  });
  const result = streamTranscribe({
    model: openai.transcription("gpt-realtime-whisper"),
    audio,
    inputAudioFormat: { type: "audio/pcm", rate: 24000 },
  });
  texts.push(await result.text);
}
process.stdout.write(JSON.stringify(texts) + "\n", () => process.exit(0));
