// Assistant: a conversation by voice. It listens, thinks, speaks, and is silent as soon as somebody talks over it.
//
// A thin shell: `conversation.js` decides, `connection.js` carries, a player sounds, a microphone hears.

import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { VoiceError } from "./errors.js";
import { Loudness } from "./sound/loudness.js";
import { Microphone } from "./sound/microphone.js";
import { toBase64 } from "./sound/pcm.js";
import { AudioPlayer } from "./sound/player.js";
import { Recorder } from "./sound/recorder.js";
import { TrackPlayer } from "./sound/track_player.js";
import { Connection } from "./wire/connection.js";
import { parseEvent, REALTIME_RATE_HZ, REALTIME_SUBPROTOCOL, secretProtocol } from "./wire/realtime_events.js";
import { serverUrl } from "./wire/server_url.js";
import { WebRtcTransport } from "./wire/webrtc.js";
import { WebSocketTransport } from "./wire/websocket.js";

/**
 * @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking"} AssistantState
 *
 * @typedef {object} Tool a function that the assistant may call
 * @property {string} name
 * @property {string} [description] when to call it, for the chat model
 * @property {Record<string, unknown>} [parameters] JSON Schema of its arguments
 * @property {(args: any) => unknown} [run] does it; what it returns goes to the chat model. Without it, answer the
 *   `functioncall` event with `answer`
 *
 * @typedef {object} AssistantSettings what may change while it talks
 * @property {string} [instructions] for the chat model
 * @property {string} [voice] id, or `id/Style`; the server's default where absent
 * @property {number} [speed] 0.25..1.5
 * @property {Tool[]} [tools]
 * @property {Record<string, unknown> | null} [turnDetection] as OpenAI Realtime has it; by default by silence and by
 *   what is said (`semantic_vad`)
 * @property {Record<string, unknown>} [transcription] of what the user says: model, language
 *
 * @typedef {AssistantSettings & {
 *   url?: string | URL,
 *   transport?: "webrtc" | "websocket",
 *   model?: string,
 *   token?: string | (() => string | Promise<string>),
 *   context?: AudioContext,
 *   buffer?: Partial<import("./sound/playback_buffer.js").PlaybackOptions>,
 *   backoff?: Partial<import("./wire/backoff.js").BackoffOptions>,
 *   answerTimeoutMs?: number,
 *   createPlayer?: (listener: import("./sound/border.js").PlayerListener) => Player,
 *   createTransport?: () => Promise<Carrier>,
 * }} AssistantOptions `url`: of the server, the page's own by default. `transport`: a call by default, whose echo canceller
 *   hears what it plays. `model`: who answers, as the server names it. `token`: a client secret, or how to get one for each
 *   connection. `answerTimeoutMs`: longest silence of a server that owes an answer
 *
 * @typedef {import("./sound/border.js").Player} Player
 * @typedef {import("./wire/connection.js").Transport & {
 *   waitingBytes?: number, replaceMicrophone?: (track: MediaStreamTrack | null) => Promise<void>}} Carrier
 *
 * @typedef {{type: "state", state: AssistantState, previous: AssistantState, isUserSpeaking: boolean}} AssistantStateEvent
 * @typedef {{type: "level", who: "user" | "assistant", level: number}} AssistantLevelEvent
 * @typedef {import("./conversation.js").ConversationEvent | AssistantStateEvent | AssistantLevelEvent
 *   | import("./sound/border.js").NeedsGestureEvent} AssistantEvent
 */

const ANSWER_TIMEOUT_MS = 60_000;
const FRAME_MS = 20;
/** Sound that waits in the socket beyond this, about a second, is old: frames are dropped until it has left. */
const MOST_WAITING_BYTES = 64 * 1024;

/** @extends {Emitter<AssistantEvent>} */
export class Assistant extends Emitter {
  #options;
  /** @type {"webrtc" | "websocket"} */
  #transportName;
  /** @type {AssistantSettings} */
  #settings;
  #conversation;
  /** @type {Connection<import("./wire/realtime_events.js").RealtimeEvent> | null} */
  #connection = null;
  /** @type {Carrier | null} */
  #carrier = null;
  /** @type {Player | null} */
  #player = null;
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {Recorder | null} */
  #recorder = null;
  /** @type {AudioContext | null} made here, and closed here */
  #ownContext = null;
  #loudness = new Loudness();
  #isMuted = false;
  #wantsMicrophone = false;
  #shown = { state: /** @type {AssistantState} */ ("idle"), isUserSpeaking: false };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #answerTimer;

  /** @param {AssistantOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#transportName = options.transport ?? "webrtc";
    if (!["websocket", "webrtc"].includes(this.#transportName)) {
      throw new TypeError(`transport must be "websocket" or "webrtc", not ${JSON.stringify(options.transport)}`);
    }
    const { instructions, voice, speed, tools, turnDetection, transcription } = options;
    this.#settings = { instructions, voice, speed, tools, turnDetection, transcription };
    /** Where the server is. */
    this.url = serverUrl(options.url);
    this.#conversation = this.#createConversation();
  }

  /** @returns {AssistantState} */
  get state() {
    return this.#shown.state;
  }

  /** Between the first and the last sound of the user, as the server hears it. */
  get isUserSpeaking() {
    return this.#shown.isUserSpeaking;
  }

  get isMuted() {
    return this.#isMuted;
  }

  /** Whether a microphone is open. */
  get hears() {
    return this.#microphone !== null;
  }

  /** Everything that is played passes through this node; null before `start`. @returns {AudioNode | null} */
  get output() {
    return this.#player?.output ?? null;
  }

  /**
   * Connects and listens. Call it in a click or key handler, so that the browser lets sound begin. Later losses mend
   * themselves. Called again, it opens the microphone that was left closed.
   * @param {{microphone?: boolean}} [how] without a microphone it is spoken to with `send`
   * @throws {VoiceError} `microphone_denied`, `connection_failed` and others; then it is stopped
   */
  async start({ microphone = true } = {}) {
    try {
      const player = this.#openPlayer();
      this.#connection ??= this.#createConnection();
      this.#update();
      if (microphone) await this.#openMicrophone();
      await Promise.all([this.#connection.open(), player.ready]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Silence; frees the microphone, the speakers and the connection. What was said is remembered for the next `start`. */
  async stop() {
    if (this.#connection) this.#conversation.interrupt();
    this.#wantsMicrophone = false;
    this.#closeMicrophone();
    const [connection, player, context] = [this.#connection, this.#player, this.#ownContext];
    this.#connection = this.#carrier = this.#player = this.#ownContext = null;
    connection?.close();
    this.#conversation.lost();
    globalThis.document?.removeEventListener("visibilitychange", this.#wake);
    this.#update();
    await player?.close();
    if (context && context.state !== "closed") await context.close();
  }

  /** The microphone hears nothing, or listens again. @param {boolean} [isMuted] */
  mute(isMuted = true) {
    this.#isMuted = isMuted;
    this.#microphone?.mute(isMuted);
  }

  /** The assistant is silent, at once. */
  interrupt() {
    this.#conversation.interrupt();
    this.#update();
  }

  /** The assistant says this text. Connects if it must. @param {string} text */
  say(text) {
    return this.#give(text, () => this.#conversation.say(text, newId()));
  }

  /** What the user would say, in writing; it is answered. Connects if it must, without a microphone. @param {string} text */
  send(text) {
    return this.#give(text, () => this.#conversation.write(text, newId()));
  }

  /**
   * What a function gave, for a `functioncall` whose tool has no `run`.
   * @param {string} callId
   * @param {unknown} output anything that JSON can hold
   */
  answer(callId, output) {
    this.#conversation.answerCall(callId, typeof output === "string" ? output : (JSON.stringify(output) ?? "null"));
    this.#update();
  }

  /** Changes how it speaks and thinks, from the next reply on. @param {AssistantSettings} settings */
  configure(settings) {
    this.#settings = { ...this.#settings, ...settings };
    if (this.#connection?.state === "open") this.#send({ type: "session.update", session: this.#session() });
  }

  /** Lets the sound begin; to be called in a click or key handler after `needs-gesture`. */
  async resume() {
    if (this.#ownContext?.state === "suspended") void this.#ownContext.resume().catch(() => {});
    await this.#player?.resume();
  }

  // -- parts --------------------------------------------------------------------------------------------------------

  #createConversation() {
    return new Conversation({
      isCall: this.#transportName === "webrtc",
      send: (command) => this.#send(command),
      player: {
        begin: (generation, rateHz) => this.#player?.begin(generation, rateHz),
        push: (generation, samples, rateHz) => this.#player?.push(generation, samples, rateHz),
        reach: (generation, startMs) => this.#player?.reach(generation, startMs),
        rest: (generation) => this.#player?.rest(generation),
        end: (generation, durationMs) => this.#player?.end(generation, durationMs),
        clear: (generation) => this.#player?.clear(generation),
      },
      emit: (event) => {
        this.emit(event);
        if (event.type === "functioncall") void this.#run(event);
      },
      now: () => performance.now(),
    });
  }

  #createConnection() {
    globalThis.document?.addEventListener("visibilitychange", this.#wake);
    return new Connection({
      parse: parseEvent,
      createTransport: async () => {
        this.#carrier = await (this.#options.createTransport ?? (() => this.#createTransport()))();
        return this.#carrier;
      },
      onOpen: () => this.#conversation.connected(this.#session()),
      onMessage: (event) => {
        this.#conversation.receive(event);
        this.#watchAnswer();
        this.#update();
      },
      onAudio: () => {},
      onLost: (error, willReturn) => {
        this.#conversation.lost();
        this.emit({ type: "error", error });
        if (!willReturn) void this.stop();
      },
      isNeeded: () => this.#wantsMicrophone || this.#conversation.activity !== "listening",
      onState: () => this.#update(),
      backoff: this.#options.backoff,
    });
  }

  async #createTransport() {
    const { token, model } = this.#options;
    const secret = typeof token === "function" ? await token() : (token ?? null);
    const query = model ? `?model=${encodeURIComponent(model)}` : "";
    if (this.#transportName === "websocket") {
      const protocols = secret ? [REALTIME_SUBPROTOCOL, secretProtocol(secret)] : [REALTIME_SUBPROTOCOL];
      return new WebSocketTransport({ url: this.url, path: `v1/realtime${query}`, protocols });
    }
    return new WebRtcTransport({
      url: this.url,
      path: `v1/realtime/calls${query}`,
      channel: "oai-events",
      token: secret,
      microphone: this.#microphone?.track ?? null,
      onTrack: (stream, peer) => this.#player?.attach?.(stream, peer),
    });
  }

  /** Made once for each start, as early as a gesture may have called us. */
  #openPlayer() {
    const listener = (/** @type {Parameters<import("./sound/border.js").PlayerListener>[0]} */ message) => this.#hear(message);
    const Player = this.#transportName === "webrtc" ? TrackPlayer : AudioPlayer;
    const create = this.#options.createPlayer ?? (() => new Player(listener, { ...this.#options, context: this.#context() }));
    this.#player ??= create(listener);
    return this.#player;
  }

  #context() {
    if (this.#options.context) return this.#options.context;
    this.#ownContext ??= new AudioContext({ latencyHint: "interactive" });
    return this.#ownContext;
  }

  // -- the microphone -----------------------------------------------------------------------------------------------

  async #openMicrophone() {
    this.#wantsMicrophone = true;
    if (this.#microphone) return;
    const microphone = new Microphone(
      {
        onStream: (stream) => this.#take(stream),
        onLevel: (level) => {
          if (this.#loudness.isLoud(level)) this.#conversation.loud();
          this.emit({ type: "level", who: "user", level });
        },
        onLost: (error) => {
          this.#closeMicrophone();
          this.emit({ type: "error", error });
        },
      },
      this.#context(),
    );
    this.#microphone = microphone;
    microphone.mute(this.#isMuted);
    await microphone.open();
  }

  #closeMicrophone() {
    void this.#recorder?.close();
    this.#microphone?.close();
    this.#recorder = this.#microphone = null;
    void this.#carrier?.replaceMicrophone?.(null);
  }

  /** Another device speaks from now on. @param {MediaStream} stream */
  #take(stream) {
    if (this.#transportName === "webrtc") void this.#carrier?.replaceMicrophone?.(stream.getAudioTracks()[0]);
    else this.#record(stream).catch((error) => this.emit({ type: "error", error }));
  }

  /** Sends what this stream hears, from now on. @param {MediaStream} stream */
  async #record(stream) {
    void this.#recorder?.close();
    const recorder = new Recorder((samples) => this.#sendSound(samples), {
      context: this.#context(),
      stream,
      rateHz: REALTIME_RATE_HZ,
      blockMs: FRAME_MS,
    });
    this.#recorder = recorder;
    await recorder.open();
  }

  /** @param {Int16Array} samples of a frame */
  #sendSound(samples) {
    if (this.#connection?.state !== "open" || (this.#carrier?.waitingBytes ?? 0) > MOST_WAITING_BYTES) return;
    this.#conversation.sent((1000 * samples.length) / REALTIME_RATE_HZ);
    this.#send({ type: "input_audio_buffer.append", audio: toBase64(samples) });
  }

  // -- what happens -------------------------------------------------------------------------------------------------

  /** @param {string} text @param {() => void} give */
  async #give(text, give) {
    if (typeof text !== "string" || !text.trim()) throw new TypeError("text must be a string that is not empty");
    if (this.#connection?.state !== "open") await this.start({ microphone: this.#wantsMicrophone });
    void this.resume();
    if (this.#connection?.state !== "open") return; // stopped meanwhile
    give();
    this.#watchAnswer();
    this.#update();
  }

  /** @param {import("./conversation.js").FunctionCallEvent} call */
  async #run({ callId, name, arguments: args }) {
    const tool = this.#settings.tools?.find((each) => each.name === name);
    if (!tool?.run) return;
    try {
      this.answer(callId, (await tool.run(args)) ?? "done");
    } catch (error) {
      this.answer(callId, { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #session() {
    const { instructions, voice, speed, tools, turnDetection, transcription = {} } = this.#settings;
    const detection = turnDetection === undefined ? { type: "semantic_vad" } : turnDetection;
    const format = { type: "audio/pcm", rate: REALTIME_RATE_HZ };
    return {
      type: "realtime",
      output_modalities: ["audio"],
      ...(instructions === undefined ? {} : { instructions }),
      ...(tools ? { tools: tools.map(({ run: _, ...tool }) => ({ type: "function", ...tool })) } : {}),
      audio: {
        input: { format, turn_detection: detection, transcription },
        output: { format, ...(voice ? { voice } : {}), ...(speed ? { speed } : {}) },
      },
      vivavoce: { events: ["words", "metrics"] },
    };
  }

  /** @param {import("./wire/realtime_events.js").RealtimeCommand} command */
  #send(command) {
    this.#connection?.send(JSON.stringify(command));
  }

  /** @param {Parameters<import("./sound/border.js").PlayerListener>[0]} message */
  #hear(message) {
    if (message.type === "needs-gesture") this.emit(message);
    else if (message.type === "started") this.#conversation.started(message.generation);
    else if (message.type === "drained") this.#conversation.drained(message.generation, message.playedMs);
    else if (message.type === "report") {
      this.#conversation.played(message.generation, message.playedMs);
      this.emit({ type: "level", who: "assistant", level: message.level });
    }
    this.#update();
  }

  /** The tab was asleep, or in the background. */
  #wake = () => {
    if (document.visibilityState !== "visible") return;
    void this.resume();
    this.#microphone?.check();
    if (this.#connection?.state === "reconnecting") this.#connection.open().catch(() => {});
  };

  /** Leaves a server that owes an answer and says nothing. Started anew with every message. */
  #watchAnswer() {
    clearTimeout(this.#answerTimer);
    if (this.#conversation.activity !== "thinking") return;
    this.#answerTimer = setTimeout(() => {
      this.#connection?.abandon(new VoiceError("no_answer", "the server stopped answering"));
    }, this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
  }

  #update() {
    if (this.#conversation.activity !== "thinking") clearTimeout(this.#answerTimer);
    const { isUserSpeaking, activity } = this.#conversation;
    const connection = this.#connection?.state;
    const state = !connection ? "idle" : connection === "open" || activity === "speaking" ? activity : "connecting";
    const previous = this.#shown.state;
    if (state === previous && isUserSpeaking === this.#shown.isUserSpeaking) return;
    this.#shown = { state, isUserSpeaking };
    this.emit({ type: "state", state, previous, isUserSpeaking });
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `item_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
