// Short-lived tokens: browsers cannot put an API key on a WebSocket, so they trade it for one that works once.

import { VoiceError } from "../errors.js";

/**
 * Trades an API key for a token. Keys belong on your own server: call this there, and hand the token to the page.
 * @param {string | URL} url of the speech server
 * @param {string} apiKey
 * @returns {Promise<string>}
 * @throws {VoiceError} `invalid_api_key` and others, as the server says
 */
export async function fetchToken(url, apiKey) {
  const route = new URL("v1/audio/speech/token", url);
  const response = await fetch(route, { method: "POST", headers: { authorization: `Bearer ${apiKey}` } });
  if (!response.ok) throw await VoiceError.fromResponse(response);
  return (await response.json()).token;
}
