// Speaks a chat model's answer while it is written (Node 22, no packages):
//   node examples/chat_to_speech.mjs "Tell me a story" | aplay -f S16_LE -r 24000
// Raw sound goes to standard output as it comes. On Node 20, add --experimental-websocket.

const { VIVAVOCE_URL = "http://127.0.0.1:7860", OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY, CHAT_MODEL = "gpt-4o-mini" } = process.env;

const socket = new WebSocket(`${VIVAVOCE_URL.replace("http", "ws")}/v1/audio/speech/stream`, ["vivavoce.v1"]);
socket.binaryType = "arraybuffer";
const send = (message) => socket.send(JSON.stringify(message));

/** The pieces of an answer, as the model writes them. */
async function* answerTo(question) {
  const body = JSON.stringify({ model: CHAT_MODEL, stream: true, messages: [{ role: "user", content: question }] });
  const headers = { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` };
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, { method: "POST", headers, body });
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: {")) yield JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? "";
  }
}

socket.onopen = async () => {
  send({ type: "session.config", sample_rate: 24_000 });
  for await (const delta of answerTo(process.argv[2])) send({ type: "input.text", text: delta });
  send({ type: "input.done" });
};
socket.onmessage = ({ data }) => {
  if (typeof data !== "string") process.stdout.write(Buffer.from(data));
  else if (JSON.parse(data).type === "session.done") socket.close();
};
