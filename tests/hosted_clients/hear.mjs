// Hugging Face's JavaScript client lets a server hear a file: node hear.mjs URL KEY FILE, prints what was said.
import { readFile } from "node:fs/promises";
import { InferenceClient } from "@huggingface/inference";

const [url, key, file] = process.argv.slice(2);
const data = new Blob([await readFile(file)]);
const heard = await new InferenceClient(key).automaticSpeechRecognition({ data, endpointUrl: url });
console.log(heard.text);
