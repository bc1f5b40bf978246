// What carries a Realtime conversation to a server: a WebSocket, or a call. Used by assistant.js.

import { REALTIME_SUBPROTOCOL, secretProtocol } from "./realtime_events.js";
import { WebRtcTransport } from "./webrtc.js";
import { WebSocketTransport } from "./websocket.js";

/**
 * Makes the transport of one connection.
 * @param {object} options
 * @param {"webrtc" | "websocket"} options.transport
 * @param {URL} options.url of the server
 * @param {string} [options.model]
 * @param {string | (() => string | Promise<string>)} [options.token] a client secret, or how to get one
 * @param {() => MediaStreamTrack | null} options.microphone of a call
 * @param {(stream: MediaStream, peer: RTCPeerConnection) => void} options.onTrack the sound of a call
 * @returns {Promise<import("../assistant_options.js").Carrier>}
 */
export async function realtimeCarrier({ transport, url, model, token, microphone, onTrack }) {
  const secret = typeof token === "function" ? await token() : (token ?? null);
  const query = model ? `?model=${encodeURIComponent(model)}` : "";
  if (transport === "websocket") {
    const protocols = secret ? [REALTIME_SUBPROTOCOL, secretProtocol(secret)] : [REALTIME_SUBPROTOCOL];
    return new WebSocketTransport({ url, path: `v1/realtime${query}`, protocols });
  }
  return new WebRtcTransport({
    url,
    path: `v1/realtime/calls${query}`,
    channel: "oai-events",
    token: secret,
    microphone: microphone(),
    onTrack,
  });
}
