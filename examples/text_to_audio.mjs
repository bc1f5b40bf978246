// A text becomes sound: by a model elsewhere, or by the server's own voice.
//
//     node examples/text_to_audio.mjs "rain on a tin roof" rain.ogg
//     HF_TOKEN=hf_... node examples/text_to_audio.mjs "liquid drum and bass" beat.ogg facebook/musicgen-small
//
// With a model's name the server needs `hosted = true`. VIVAVOCE_URL names another server than http://127.0.0.1:7860,
// VIVAVOCE_KEY a key for it.

import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { textToAudio } from "./hosted_models.mjs";

const [text, path, model] = process.argv.slice(2);
const { VIVAVOCE_URL: server = "http://127.0.0.1:7860", VIVAVOCE_KEY: key, HF_TOKEN: token } = process.env;

if (!path) {
  console.error("usage: node text_to_audio.mjs TEXT FILE.ogg [MODEL]");
  process.exit(2);
}
try {
  const sound = await textToAudio(text, { server, key, model, token });
  await pipeline(Readable.fromWeb(sound.body), createWriteStream(path));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
