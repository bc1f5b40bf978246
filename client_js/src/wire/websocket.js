// A protocol over a WebSocket: messages as text, sound as binary frames. Knows no utterances and no replies.

import { VoiceError } from "../errors.js";

/**
 * @typedef {import("./connection.js").Transport} Transport
 * @typedef {import("./connection.js").TransportHandlers} TransportHandlers
 */

/** @implements {Transport} */
export class WebSocketTransport {
  #url;
  #protocols;
  /** @type {WebSocket | null} */
  #socket = null;

  /**
   * @param {object} options
   * @param {URL} options.url of the server; http and https become ws and wss
   * @param {string} options.path of the route
   * @param {string[]} options.protocols offered; a token may stand among them
   */
  constructor({ url, path, protocols }) {
    this.#url = new URL(path, url);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#protocols = protocols;
  }

  /** Bytes that were sent and have not left yet. */
  get waitingBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /**
   * @param {TransportHandlers} handlers
   * @throws {VoiceError} `connection_failed`; a browser does not say why
   */
  open({ onMessage, onAudio, onClose }) {
    const socket = new WebSocket(this.#url, this.#protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    /** @type {Promise<void>} */
    const opened = new Promise((resolve, reject) => {
      socket.onopen = () => {
        socket.onclose = onClose;
        resolve();
      };
      socket.onclose = () => reject(new VoiceError("connection_failed", "the server could not be reached, or it refused the connection"));
    });
    socket.onmessage = ({ data }) => (typeof data === "string" ? onMessage(data) : onAudio(new Uint8Array(data)));
    return opened;
  }

  /** @param {string | Int16Array} data */
  send(data) {
    if (this.#socket?.readyState === 1) this.#socket.send(/** @type {string | Int16Array<ArrayBuffer>} */ (data));
  }

  close() {
    this.#socket?.close(1000);
  }
}
