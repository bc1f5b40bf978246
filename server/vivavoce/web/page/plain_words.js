// What went wrong, said so that somebody who did not write this server knows what to do.

/** @type {Record<string, string>} */
const SENTENCES = {
  connection_failed: "The server could not be reached. Is it still running?",
  connection_lost: "The connection broke, and this reading with it. It is being opened again; press Speak when you like.",
  no_answer: "The server has stopped answering. Press Speak to try again.",
  audio_unavailable: "This browser would not load the audio player. A newer version of it will.",
  model_not_found: "No recognition model is installed here. “vivavoce models list” tells which there are.",
  call_failed: "The call could not be set up. Some networks block WebRTC: the WebSocket works nearly everywhere.",
  server_overloaded: "The server is speaking to as many listeners as it can. Try again in a moment.",
  server_shutting_down: "The server is being stopped. Try again when it is back.",
  rate_limit_exceeded: "That was more than this server allows at once. Try again in a moment.",
  invalid_api_key: "The server does not know this key.",
  forbidden_origin: "The server does not let this page speak. Its setting “allowed_origins” decides that.",
  microphone_denied: "The microphone is not allowed here. Allow it beside the address, or write instead. Browsers ask only on pages with https, and on this machine’s own.",
  microphone_missing: "No microphone was found. You can write instead.",
  microphone_busy: "Another program holds the microphone. Close it, or write instead.",
  model_unavailable: "This server has no model that understands speech. You can write instead.",
  empty_input: "There is nothing in this text that can be said aloud.",
  string_above_max_length: "That is more text than the server takes at once.",
  engine_crashed: "The voice stumbled over this text. The server’s log says why.",
};

/** What is otherwise where somebody talks instead of having a text read. @type {Record<string, string>} */
export const WHILE_TALKING = {
  connection_lost: "The connection broke, and what was being said with it. It is being opened again.",
  no_answer: "The server has stopped answering. The connection is being opened again.",
  server_overloaded: "The server is talking to as many people as it can. Try again in a moment.",
  engine_crashed: "The voice stumbled over its words. The server’s log says why.",
};

/** @param {unknown} error @param {Record<string, string>} [here] sentences of a page that come before the others */
export function inPlainWords(error, here = {}) {
  const { code, message } = /** @type {{code?: string, message?: string}} */ (error ?? {});
  return (code && (here[code] ?? SENTENCES[code])) || sentence(message ?? "Something went wrong.");
}

/** @param {string} message */
function sentence(message) {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
