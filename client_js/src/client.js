// VoiceClient: text in, sound and events out, over a connection that comes back by itself.
//
// A thin shell over three parts: `session.js` decides, `connection.js` carries, a player sounds.

import { Connection } from "./wire/connection.js";
import { Emitter } from "./emitter.js";
import { VoiceError } from "./errors.js";
import { parse, serialize, SUBPROTOCOL } from "./wire/messages.js";
import { AudioPlayer } from "./sound/player.js";
import { SpeechSession } from "./session.js";
import { TrackPlayer } from "./sound/track_player.js";
import { serverUrl } from "./wire/server_url.js";
import { WebRtcTransport } from "./wire/webrtc.js";
import { WebSocketTransport } from "./wire/websocket.js";

/**
 * @typedef {"disconnected" | "connecting" | "ready" | "waiting" | "speaking" | "reconnecting" | "closed"} ClientState
 *   `waiting`: text was sent, nothing is heard yet
 *
 * @typedef {object} ClientOptions
 * @property {string | URL} [url] of the server; the page's own by default
 * @property {"websocket" | "webrtc"} [transport]
 * @property {string} [voice] id, or `id/Style`; the server's default where absent
 * @property {string | (() => string | Promise<string>)} [token] short-lived token, or how to get one for each connection
 * @property {import("./wire/messages.js").SpeechConfig} [config] more of how to speak: speed, language, seed...
 * @property {AudioContext} [context] to play in; made where absent
 * @property {Partial<import("./sound/playback_buffer.js").PlaybackOptions>} [buffer]
 * @property {Partial<import("./wire/backoff.js").BackoffOptions>} [backoff]
 * @property {number} [answerTimeoutMs] longest silence of a server that owes an answer; 30 s by default
 * @property {(listener: import("./sound/border.js").PlayerListener) => Player} [createPlayer] where sound goes, if not to the
 *   speakers: a file, a test
 * @property {() => Promise<import("./wire/connection.js").Transport>} [createTransport] what carries it, for tests
 *
 * @typedef {import("./sound/border.js").Player} Player
 *
 * @typedef {{type: "state", state: ClientState, previous: ClientState}} StateEvent
 * @typedef {{type: "level", level: number}} LevelEvent root mean square of the last 50 ms, 0..1
 * @typedef {{type: "metrics", transport: "websocket" | "webrtc", utterance: number, firstAudioMs: number | null}
 *   & Omit<import("./sound/playback_buffer.js").PlaybackReport, "generation">} MetricsEvent every 50 ms while there is sound
 * @typedef {import("./session.js").SessionEvent | StateEvent | LevelEvent | MetricsEvent
 *   | import("./sound/border.js").NeedsGestureEvent} VoiceEvent
 */

const ANSWER_TIMEOUT_MS = 30_000;

/** @extends {Emitter<VoiceEvent>} */
export class VoiceClient extends Emitter {
  #options;
  /** @type {"websocket" | "webrtc"} */
  #transportName;
  /** @type {import("./wire/messages.js").SpeechConfig} */
  #config;
  #connection;
  #session;
  /** @type {Player | null} */
  #player = null;
  /** @type {ClientState} */
  #state = "disconnected";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #answerTimer;
  /** @type {number | null} */
  #firstAudioMs = null;

  /** @param {ClientOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#transportName = options.transport ?? "websocket";
    if (!["websocket", "webrtc"].includes(this.#transportName)) {
      throw new TypeError(`transport must be "websocket" or "webrtc", not ${JSON.stringify(options.transport)}`);
    }
    this.#config = checkedConfig({ ...options.config, ...(options.voice ? { voice: options.voice } : {}) });
    /** Where the server is. */
    this.url = serverUrl(options.url);
    /** Voices of the server, known once connected. @type {import("./wire/messages.js").VoiceSummary[]} */
    this.voices = [];
    this.#session = this.#createSession();
    this.#connection = this.#createConnection();
  }

  /** @returns {ClientState} */
  get state() {
    return this.#state;
  }

  /** Everything that is played passes through this node; null before `connect`, and where sound does not go to the speakers. @returns {AudioNode | null} */
  get output() {
    return this.#player?.output ?? null;
  }

  /**
   * Connects. Call it in a click or key handler, so that the browser lets sound begin. Later losses mend themselves.
   * @throws {VoiceError} `connection_failed` and others; the first connection is not tried again
   */
  async connect() {
    const player = this.#openPlayer();
    await Promise.all([this.#connection.open(), player.ready]);
  }

  /**
   * Speaks a whole text, after what is being spoken.
   * @param {string} text
   * @returns {Promise<import("./utterance.js").DoneEvent>} its end; never rejects: look at `status`
   */
  speak(text) {
    this.#session.end();
    const utterance = this.#write(text);
    this.end();
    return utterance.done;
  }

  /**
   * Adds text to the utterance; begins one where none takes text.
   * @param {string} delta of any size, but not empty
   * @returns {number} the utterance it belongs to, as its events name it
   */
  write(delta) {
    return this.#write(delta).id;
  }

  /** Speaks what is there now, without waiting for the end of a sentence. */
  flush() {
    this.#session.flush();
  }

  /** Says that the utterance's text is complete. */
  end() {
    this.#session.end();
    this.#update();
  }

  /**
   * Stops the sound and everything that waits, at once.
   * @returns {Promise<{text: string, playedMs: number}>} what was heard of the utterance that was speaking
   */
  async cancel() {
    const utterance = this.#session.cancel();
    this.#update();
    if (!utterance) return { text: "", playedMs: 0 };
    const { heard, playedMs } = await utterance.done;
    return { text: heard, playedMs };
  }

  /** Changes how to speak, from the next utterance on. @param {import("./wire/messages.js").SpeechConfig} config */
  configure(config) {
    this.#config = checkedConfig({ ...this.#config, ...config });
    if (this.#connection.state === "open") this.#send({ type: "session.config", ...config });
  }

  /** Lets the sound begin; to be called in a click or key handler after `needs-gesture`. */
  async resume() {
    await this.#player?.resume();
  }

  /** Stops, says goodbye and frees everything. */
  async close() {
    if (this.#connection.state === "closed") return;
    this.#session.cancel();
    this.#send({ type: "session.close" });
    this.#connection.close();
    this.#session.abandon(new VoiceError("closed", "this client was closed"));
    this.#update();
    await this.#player?.close();
    this.#player = null;
  }

  // -- parts --------------------------------------------------------------------------------------------------------

  #createSession() {
    return new SpeechSession({
      send: (message) => this.#send(message),
      player: {
        begin: (generation, rateHz) => this.#player?.begin(generation, rateHz),
        push: (generation, samples, rateHz) => this.#player?.push(generation, samples, rateHz),
        reach: (generation, startMs) => this.#player?.reach(generation, startMs),
        rest: (generation) => this.#player?.rest(generation),
        end: (generation, durationMs) => this.#player?.end(generation, durationMs),
        clear: (generation) => this.#player?.clear(generation),
      },
      emit: (event) => {
        if (event.type === "audio-start") this.#firstAudioMs = event.firstAudioMs;
        this.emit(event);
        this.#update();
      },
      now: () => performance.now(),
    });
  }

  #createConnection() {
    return new Connection({
      parse,
      createTransport: this.#options.createTransport ?? (() => this.#createTransport()),
      onOpen: (created) => {
        this.voices = created.voices;
        this.#session.connected(created.limits, { timestamps: "word", response_format: "pcm", audio: "binary", ...this.#config });
      },
      onMessage: (message) => {
        this.#session.receive(message);
        this.#watchAnswer();
        this.#update();
      },
      onAudio: (bytes) => this.#session.receiveAudio(bytes),
      onLost: (error, willReturn) => {
        if (willReturn) this.#session.lost(error);
        else this.#session.abandon(error);
      },
      isNeeded: () => this.#session.isOwed,
      onState: () => this.#update(),
      backoff: this.#options.backoff,
    });
  }

  async #createTransport() {
    const { token } = this.#options;
    const current = typeof token === "function" ? await token() : (token ?? null);
    if (this.#transportName === "websocket") {
      const protocols = current ? [SUBPROTOCOL, `vivavoce.token.${current}`] : [SUBPROTOCOL];
      return new WebSocketTransport({ url: this.url, path: "v1/audio/speech/stream", protocols });
    }
    const onTrack = (/** @type {MediaStream} */ stream, /** @type {RTCPeerConnection} */ peer) => {
      this.#player?.attach?.(stream, peer);
    };
    return new WebRtcTransport({ url: this.url, path: "v1/audio/speech/calls", channel: "speech", token: current, onTrack });
  }

  /** Made once, as early as a gesture may have called us. */
  #openPlayer() {
    const listener = (/** @type {Parameters<import("./sound/border.js").PlayerListener>[0]} */ message) => this.#hear(message);
    const Player = this.#transportName === "webrtc" ? TrackPlayer : AudioPlayer;
    const create = this.#options.createPlayer ?? (() => new Player(listener, this.#options));
    this.#player ??= create(listener);
    return this.#player;
  }

  // -- what happens -------------------------------------------------------------------------------------------------

  /** @param {string} text */
  #write(text) {
    if (typeof text !== "string" || text === "") throw new TypeError("text must be a string that is not empty");
    if (this.#connection.state === "closed") throw new VoiceError("closed", "this client was closed");
    this.#openPlayer();
    const utterance = this.#session.write(text);
    if (this.#connection.state === "disconnected") this.connect().catch((error) => this.#session.abandon(error));
    this.#update();
    return utterance;
  }

  /** @param {import("./wire/messages.js").ClientMessage} message */
  #send(message) {
    this.#connection.send(serialize(message));
    this.#watchAnswer();
  }

  /** @param {Parameters<import("./sound/border.js").PlayerListener>[0]} message */
  #hear(message) {
    if (message.type === "needs-gesture") this.emit(message);
    else if (message.type === "started") this.#session.started(message.generation);
    else if (message.type === "drained") this.#session.drained(message.generation, message.playedMs);
    else if (message.type === "report") this.#report(message);
    this.#update();
  }

  /** @param {import("./sound/player_core.js").PlayerReport} report */
  #report({ type: _, level, generation, ...report }) {
    this.#session.played(generation, report.playedMs);
    this.emit({ type: "level", level });
    this.emit({ type: "metrics", transport: this.#transportName, utterance: generation, firstAudioMs: this.#firstAudioMs, ...report });
  }

  /** Leaves a server that owes an answer and says nothing. Started anew with every message. */
  #watchAnswer() {
    clearTimeout(this.#answerTimer);
    if (!this.#session.isAnswerDue) return;
    this.#answerTimer = setTimeout(() => {
      this.#connection.abandon(new VoiceError("no_answer", "the server stopped answering"));
    }, this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
  }

  #update() {
    if (!this.#session.isAnswerDue) clearTimeout(this.#answerTimer);
    const { activity } = this.#session;
    const connection = this.#connection.state;
    const state = connection === "open" || activity === "speaking" ? activity : connection;
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = state;
    this.emit({ type: "state", state, previous });
  }
}

/** @param {import("./wire/messages.js").SpeechConfig} config @throws {VoiceError} `invalid_field` */
function checkedConfig(config) {
  serialize({ type: "session.config", ...config });
  return config;
}
