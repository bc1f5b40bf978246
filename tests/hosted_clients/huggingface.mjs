// Hugging Face's JavaScript client against a server: node huggingface.mjs URL KEY, prints one JSON object.
import { InferenceClient } from "@huggingface/inference";

const [url, key] = process.argv.slice(2);
const client = new InferenceClient(key);
const found = {};

async function told(name, work) {
  try {
    found[name] = await work();
  } catch (error) {
    found[name] = { error: error.message };
  }
}

const size = async (blob) => ({ bytes: blob.size, type: blob.type });
for (const path of ["/models/beta", "/v1/audio/speech"]) {
  await told(path, async () => size(await client.textToSpeech({ inputs: "Hello there.", endpointUrl: url + path })));
}
await told("endpoint", async () =>
  size(await client.endpoint(`${url}/models/alpha`).textToSpeech({ inputs: "Hello there." })),
);
await told("unknown", () => client.textToSpeech({ inputs: "Hello.", endpointUrl: `${url}/models/nobody` }));
await told("long", () => client.textToSpeech({ inputs: "x".repeat(5000), endpointUrl: `${url}/models/alpha` }));
await told("openai path", () => client.textToSpeech({ inputs: "", endpointUrl: `${url}/v1/audio/speech` }));
await told("key", () =>
  new InferenceClient("wrong").textToSpeech({ inputs: "Hello.", endpointUrl: `${url}/v1/audio/speech` }),
);
if (process.argv[4]) {
  const { readFile } = await import("node:fs/promises");
  const data = new Blob([await readFile(process.argv[4])]);
  await told("picture", () => client.imageToText({ data, endpointUrl: `${url}/models/ocr` }));
}
const begun = Date.now();
await told("busy", () => client.textToSpeech({ inputs: "Hello.", endpointUrl: `${url}/models/missing` }));
found.busy.took_ms = Date.now() - begun;
console.log(JSON.stringify(found));
