// The AI SDK on a recording: as it asks by itself, and for words, for segments and for both.

import { readFile } from "node:fs/promises";

import { createOpenAI } from "@ai-sdk/openai";
import { transcribe } from "ai";

const [address, path] = process.argv.slice(2);
const openai = createOpenAI({ apiKey: "any", baseURL: `${address}/v1` });
const audio = await readFile(path);
const heard = {};
async function hear(name, model, options) {
  const given = options === undefined ? {} : { providerOptions: { openai: options } };
  const { text, segments, words, language, durationInSeconds, warnings } = await transcribe({
    model: openai.transcription(model),
    audio,
    ...given,
  });
  heard[name] = { text, segments, words, language, durationInSeconds, warnings };
}
await hear("by itself", "whisper-1");
await hear("word", "whisper-1", { timestampGranularities: ["word"] });
await hear("both", "whisper-1", { timestampGranularities: ["word", "segment"] });
await hear("json", "gpt-4o-mini-transcribe");
process.stdout.write(JSON.stringify(heard) + "\n", () => process.exit(0));
