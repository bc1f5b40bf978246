// A protocol as a call: messages on a data channel, sound as Opus tracks. Knows no utterances and no replies.
//
// The browser's echo canceller hears what a track plays, so a page that listens while it speaks wants this transport.

import { VoiceError } from "../errors.js";

/**
 * @typedef {import("./connection.js").Transport} Transport
 * @typedef {import("./connection.js").TransportHandlers} TransportHandlers
 */

/** Candidates that are not found by then are not worth waiting for. */
const GATHERING_MS = 2000;

/** @implements {Transport} */
export class WebRtcTransport {
  #url;
  #path;
  #channelName;
  #token;
  #microphone;
  #onTrack;
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {RTCRtpSender | null} */
  #sender = null;

  /**
   * @param {object} options
   * @param {URL} options.url of the server
   * @param {string} options.path of the route that takes the offer
   * @param {string} options.channel name of the data channel
   * @param {string | null} [options.token] short-lived, for one call
   * @param {MediaStreamTrack | null} [options.microphone] null: none yet; undefined: the call only plays
   * @param {(stream: MediaStream, peer: RTCPeerConnection) => void} options.onTrack
   */
  constructor({ url, path, channel, token = null, microphone, onTrack }) {
    this.#url = url;
    this.#path = path;
    this.#channelName = channel;
    this.#token = token;
    this.#microphone = microphone;
    this.#onTrack = onTrack;
  }

  /**
   * @param {TransportHandlers} handlers
   * @throws {VoiceError} `call_failed`, or what the server says
   */
  async open(handlers) {
    if (typeof RTCPeerConnection === "undefined") throw new VoiceError("call_failed", "this browser has no WebRTC");
    const peer = new RTCPeerConnection({ iceServers: await this.#iceServers() });
    this.#peer = peer;
    peer.ontrack = ({ streams: [stream], track }) => this.#onTrack(stream ?? new MediaStream([track]), peer);
    const direction = this.#microphone === undefined ? "recvonly" : "sendrecv";
    this.#sender = peer.addTransceiver(this.#microphone ?? "audio", { direction }).sender;
    const channel = peer.createDataChannel(this.#channelName);
    this.#channel = channel;
    channel.onmessage = ({ data }) => handlers.onMessage(data);
    const opened = this.#opened(peer, channel, handlers.onClose);
    opened.catch(() => {}); // the offer may be refused first
    await peer.setLocalDescription();
    await gathered(peer);
    await peer.setRemoteDescription({ type: "answer", sdp: await this.#call(peer.localDescription?.sdp ?? "") });
    await opened;
  }

  /** @param {string} data */
  send(data) {
    if (this.#channel?.readyState === "open") this.#channel.send(data);
  }

  /** Another microphone speaks from now on, or none. @param {MediaStreamTrack | null} track */
  async replaceMicrophone(track) {
    this.#microphone = track; // of a call that is only being set up
    await this.#sender?.replaceTrack(track).catch(() => {}); // the call has ended
  }

  close() {
    this.#channel?.close();
    this.#peer?.close();
  }

  /**
   * @param {RTCPeerConnection} peer
   * @param {RTCDataChannel} channel
   * @param {TransportHandlers["onClose"]} onClose
   */
  #opened(peer, channel, onClose) {
    let isOver = false;
    const over = () => {
      if (!isOver) onClose({ code: 1006, reason: "" });
      isOver = true;
    };
    /** @type {Promise<void>} */
    const opened = new Promise((resolve, reject) => {
      const failed = () => reject(new VoiceError("call_failed", "the call could not be set up"));
      channel.onopen = () => {
        channel.onclose = over;
        resolve();
      };
      channel.onclose = failed;
      peer.onconnectionstatechange = () => {
        if (peer.connectionState !== "failed") return;
        failed();
        if (channel.readyState === "open") over();
      };
    });
    return opened;
  }

  async #iceServers() {
    const response = await fetch(new URL("v1/ice", this.#url), { headers: this.#headers() });
    if (!response.ok) throw await VoiceError.fromResponse(response);
    return (await response.json()).iceServers;
  }

  /** @param {string} offer @returns {Promise<string>} the answer */
  async #call(offer) {
    const headers = { ...this.#headers(), "content-type": "application/sdp" };
    const response = await fetch(new URL(this.#path, this.#url), { method: "POST", headers, body: offer });
    if (!response.ok) throw await VoiceError.fromResponse(response);
    return response.text();
  }

  /** @returns {Record<string, string>} */
  #headers() {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }
}

/** Resolves once the offer holds its candidates. @param {RTCPeerConnection} peer */
function gathered(peer) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  /** @type {Promise<void>} */
  const complete = new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING_MS);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
  return complete;
}
