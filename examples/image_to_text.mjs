// A picture becomes words: by a model elsewhere, or by the server's own reader of text.
//
//     node examples/image_to_text.mjs letter.png
//     HF_TOKEN=hf_... node examples/image_to_text.mjs cats.jpg Salesforce/blip-image-captioning-base
//
// Without a model's name the text in the picture is read, offline (the server needs `vivavoce[ocr]`). With one, the
// server needs `hosted = true`. No package is needed; the same lines run in a browser, with a file from an <input>.
// VIVAVOCE_URL names another server than http://127.0.0.1:7860, VIVAVOCE_KEY a key for it.

import { readFile } from "node:fs/promises";

const ROUTER = "https://router.huggingface.co/hf-inference/models/";
const TYPES = { png: "image/png", webp: "image/webp" };
const [path, model] = process.argv.slice(2);
const { VIVAVOCE_URL = "http://127.0.0.1:7860", VIVAVOCE_KEY, HF_TOKEN } = process.env;

if (!path) {
  console.error("usage: node image_to_text.mjs PICTURE [MODEL]");
  process.exit(2);
}

const description = model
  ? { api_url: ROUTER + model, api_token: HF_TOKEN, desired_output: "generated_text" }
  : { api_url: "local:ocr", desired_output: "generated_text" };
const type = TYPES[path.split(".").pop().toLowerCase()] ?? "image/jpeg";

const form = new FormData();
form.set("json_description", new Blob([JSON.stringify(description)], { type: "application/json" }), "description.json");
form.set("input_image", new Blob([await readFile(path)], { type }), "picture");

const response = await fetch(`${VIVAVOCE_URL}/v1/hosted/image-to-text`, {
  method: "POST",
  body: form,
  headers: VIVAVOCE_KEY ? { authorization: `Bearer ${VIVAVOCE_KEY}` } : {},
});
const answer = await response.json();
if (!response.ok) {
  console.error(answer.error.message);
  process.exit(1);
}
for (const found of [answer].flat()) console.log(found.generated_text ?? found);
