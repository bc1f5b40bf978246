// A connection that comes back: opens a transport, reads its messages, and tries again after a loss.
//
//   disconnected -> connecting -> open -> reconnecting -> open ...      any -> closed
//
// The first connection is not tried again: its caller is told why it failed. Used by client.js; it knows no utterances.

import { backoffMs } from "./backoff.js";
import { VoiceError } from "../errors.js";

/**
 * @typedef {"disconnected" | "connecting" | "open" | "reconnecting" | "closed"} ConnectionState
 * @typedef {{type: string}} Message
 * @typedef {object} TransportHandlers
 * @property {(data: string) => void} onMessage
 * @property {(bytes: Uint8Array) => void} onAudio never called where sound comes as a track
 * @property {(closing: {code: number, reason: string}) => void} onClose once, after `open` has resolved
 *
 * @typedef {object} Transport carries one connection, and is used once
 * @property {(handlers: TransportHandlers) => Promise<void>} open
 * @property {(data: string) => void} send ignored where the connection is not open
 * @property {() => void} close
 */

/**
 * @template {Message} M
 * @typedef {object} ConnectionOptions
 * @property {(data: string) => M} parse reads what the server sent, or throws a VoiceError
 * @property {() => Promise<Transport>} createTransport
 * @property {(created: Extract<M, {type: "session.created"}>) => void} onOpen
 * @property {(message: M) => void} onMessage all messages but `session.created`
 * @property {(bytes: Uint8Array) => void} onAudio
 * @property {(error: VoiceError, willReturn: boolean) => void} onLost
 * @property {() => boolean} isNeeded whether a server that says goodbye is called back at once
 * @property {() => void} onState
 * @property {Partial<import("./backoff.js").BackoffOptions>} [backoff]
 */

const CONNECT_TIMEOUT_MS = 15_000;
const GOODBYE = 1000;
/** Why a server closes a connection that nobody uses (1001, as when it stops). */
const IDLE = "idle_timeout";
/** Codes with which a server refuses this client: trying again cannot help. */
const REFUSALS = [1002, 1003, 1007, 1008, 1009];

/** @template {Message} M of a protocol whose servers say `session.created` first */
export class Connection {
  #options;
  /** @type {ConnectionState} */
  #state = "disconnected";
  /** @type {Transport | null} */
  #transport = null;
  /** @type {Promise<void> | null} */
  #opening = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #attempts = 0;
  #reason = "";

  /** @param {ConnectionOptions<M>} options */
  constructor(options) {
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  /** Opens it unless it is open. @returns {Promise<void>} @throws {VoiceError} */
  open() {
    if (this.#state === "open") return Promise.resolve();
    if (this.#state === "closed") return Promise.reject(new VoiceError("closed", "this client was closed"));
    clearTimeout(this.#timer);
    if (this.#state === "disconnected") this.#become("connecting");
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** @param {string} data */
  send(data) {
    this.#transport?.send(data);
  }

  /** The server behaves as if it were gone: leaves it and tries again. @param {VoiceError} error */
  abandon(error) {
    if (this.#state !== "open") return;
    this.#leave();
    this.#retry(error);
  }

  /** Where it waits to try again, it tries now. */
  hurry() {
    if (this.#state !== "reconnecting" || this.#opening) return;
    clearTimeout(this.#timer);
    this.#attempts = 0;
    this.#tryAgain();
  }

  close() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#become("closed");
  }

  async #open() {
    try {
      const created = await this.#call();
      this.#attempts = 0;
      this.#reason = "";
      this.#become("open");
      this.#options.onOpen(created);
    } catch (cause) {
      const error = cause instanceof VoiceError ? cause : new VoiceError("connection_failed", "the server could not be reached", { cause });
      this.#leave();
      if (this.#state === "connecting") this.#become("disconnected");
      throw error;
    }
  }

  /** Opens a transport and waits for the server's first message. */
  async #call() {
    const transport = await this.#options.createTransport();
    if (this.#state === "closed") throw new VoiceError("closed", "this client was closed");
    this.#transport = transport;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    /** @type {Promise<Extract<M, {type: "session.created"}>>} */
    const created = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new VoiceError("no_answer", "the server did not answer")), CONNECT_TIMEOUT_MS);
      const handlers = this.#handlers(transport, resolve, reject);
      transport.open(handlers).catch(reject);
    });
    return created.finally(() => clearTimeout(timer));
  }

  /**
   * @param {Transport} transport
   * @param {(created: Extract<M, {type: "session.created"}>) => void} resolve
   * @param {(error: VoiceError) => void} reject
   * @returns {TransportHandlers}
   */
  #handlers(transport, resolve, reject) {
    const isCurrent = () => this.#transport === transport;
    return {
      onMessage: (data) => {
        const message = isCurrent() ? this.#readable(data) : null;
        if (message?.type === "session.created") resolve(/** @type {Extract<M, {type: "session.created"}>} */ (message));
        else if (message) this.#receive(message);
      },
      onAudio: (bytes) => {
        if (isCurrent()) this.#options.onAudio(bytes);
      },
      onClose: (closing) => {
        if (!isCurrent()) return;
        if (this.#state === "open") this.#lost(closing);
        else reject(new VoiceError("connection_failed", closing.reason || "the server closed the connection"));
      },
    };
  }

  /** @param {M} message */
  #receive(message) {
    if (message.type === "session.closing" && "reason" in message) this.#reason = String(message.reason);
    this.#options.onMessage(message);
  }

  /** A message of a newer server that this library cannot read is passed over. @param {string} data */
  #readable(data) {
    try {
      return this.#options.parse(data);
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      return null;
    }
  }

  /** @param {{code: number, reason: string}} closing */
  #lost({ code, reason }) {
    this.#leave();
    const why = this.#reason || reason;
    const error = new VoiceError("connection_lost", `the connection was lost${why ? `: ${why}` : ""}`);
    const isGoodbye = (code === GOODBYE || why === IDLE) && !this.#options.isNeeded();
    if (!isGoodbye && !REFUSALS.includes(code)) {
      this.#retry(error);
      return;
    }
    this.#become("disconnected");
    this.#options.onLost(error, false);
  }

  /** @param {VoiceError} error */
  #retry(error) {
    this.#become("reconnecting");
    this.#options.onLost(error, true);
    this.#schedule();
  }

  #schedule() {
    const waitMs = backoffMs(this.#attempts, Math.random(), this.#options.backoff);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#tryAgain(), waitMs);
  }

  #tryAgain() {
    this.open().catch(() => {
      if (this.#state === "reconnecting") this.#schedule();
    });
  }

  #leave() {
    const transport = this.#transport;
    this.#transport = null;
    transport?.close();
  }

  /** @param {ConnectionState} state */
  #become(state) {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#options.onState();
  }
}
