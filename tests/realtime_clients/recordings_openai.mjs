// openai-node on a recording: every format, both granularities, a stream, translations.

import { createReadStream } from "node:fs";

import OpenAI from "openai";

const [address, path] = process.argv.slice(2);
const openai = new OpenAI({ apiKey: "any", baseURL: `${address}/v1` });
const heard = {};
for (const format of ["json", "text", "srt", "vtt"])
  for (const way of ["transcriptions", "translations"])
    heard[`${way} ${format}`] = await openai.audio[way].create({
      file: createReadStream(path),
      model: "whisper-1",
      response_format: format,
    });
for (const wanted of [["word"], ["segment"], ["word", "segment"]])
  heard[`transcriptions verbose_json ${wanted.join(" ")}`] = await openai.audio.transcriptions.create({
    file: createReadStream(path),
    model: "whisper-1",
    response_format: "verbose_json",
    timestamp_granularities: wanted,
  });
heard["translations verbose_json"] = await openai.audio.translations.create({
  file: createReadStream(path),
  model: "whisper-1",
  response_format: "verbose_json",
});
const events = await openai.audio.transcriptions.create({
  file: createReadStream(path),
  model: "gpt-4o-mini-transcribe",
  chunking_strategy: { type: "server_vad", threshold: 0.5 },
  stream: true,
});
heard.stream = [];
for await (const event of events) heard.stream.push(event);
process.stdout.write(JSON.stringify(heard) + "\n", () => process.exit(0));
