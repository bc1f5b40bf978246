// A picture becomes words: by a model elsewhere, or by the server's own reader of text.
//
//     node examples/image_to_text.mjs letter.png
//     HF_TOKEN=hf_... node examples/image_to_text.mjs cats.jpg Salesforce/blip-image-captioning-base
//
// Without a model's name the text in the picture is read, offline (the server needs `vivavoce[ocr]`). With one, the
// server needs `hosted = true`. VIVAVOCE_URL names another server than http://127.0.0.1:7860, VIVAVOCE_KEY a key for it.

import { readFile } from "node:fs/promises";

import { imageToText } from "./hosted_models.mjs";

const TYPES = { png: "image/png", webp: "image/webp" };
const [path, model] = process.argv.slice(2);
const { VIVAVOCE_URL: server = "http://127.0.0.1:7860", VIVAVOCE_KEY: key, HF_TOKEN: token } = process.env;

if (!path) {
  console.error("usage: node image_to_text.mjs PICTURE [MODEL]");
  process.exit(2);
}
try {
  const type = TYPES[path.split(".").pop().toLowerCase()] ?? "image/jpeg";
  const picture = new Blob([await readFile(path)], { type });
  for (const text of await imageToText(picture, { server, key, model, token })) console.log(text);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
