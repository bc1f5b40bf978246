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

/**
 * Trades an API key for a client secret, with which a page begins a conversation. Keys belong on your own server: call
 * this there, and hand the secret to the page.
 * @param {string | URL} url of the speech server
 * @param {string} apiKey
 * @param {Record<string, unknown>} [session] what the conversation is set up with: instructions, voice...
 * @returns {Promise<string>}
 * @throws {VoiceError} `invalid_api_key` and others, as the server says
 */
export async function fetchClientSecret(url, apiKey, session) {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const body = JSON.stringify(session ? { session: { type: "realtime", ...session } } : {});
  const response = await fetch(new URL("v1/realtime/client_secrets", url), { method: "POST", headers, body });
  if (!response.ok) throw await VoiceError.fromResponse(response);
  return (await response.json()).value;
}
