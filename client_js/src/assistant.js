// Assistant: a conversation by voice. It listens, thinks, speaks, and is silent as soon as somebody talks over it.
//
// A thin shell: `conversation.js` decides, `connection.js` carries, a player sounds, `hearing.js` hears.

import { sessionOf, settingsOf } from "./assistant_options.js";
import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { VoiceError } from "./errors.js";
import { Hearing } from "./hearing.js";
import { PageLife } from "./page_life.js";
import { OwnContext } from "./sound/own_context.js";
import { toBase64 } from "./sound/pcm.js";
import { AudioPlayer } from "./sound/player.js";
import { TrackPlayer } from "./sound/track_player.js";
import { runTool } from "./tools.js";
import { Connection } from "./wire/connection.js";
import { realtimeCarrier } from "./wire/realtime_carrier.js";
import { newId, parseEvent, REALTIME_RATE_HZ } from "./wire/realtime_events.js";
import { serverUrl } from "./wire/server_url.js";

/**
 * @typedef {import("./assistant_options.js").Tool} Tool
 * @typedef {import("./assistant_options.js").AssistantSettings} AssistantSettings
 * @typedef {import("./assistant_options.js").AssistantOptions} AssistantOptions
 * @typedef {import("./assistant_options.js").Player} Player
 * @typedef {import("./assistant_options.js").Carrier} Carrier
 * @typedef {import("./assistant_options.js").AssistantState} AssistantState
 * @typedef {import("./assistant_options.js").AssistantEvent} AssistantEvent
 */

const ANSWER_TIMEOUT_MS = 60_000;
/** Why a connection is left after a sleep: whatever still comes on it is old. */
const SLEPT = "slept";
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
  #context;
  #hearing;
  #life;
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
    this.#settings = settingsOf(options);
    this.#context = new OwnContext(options.context);
    /** Where the server is. */
    this.url = serverUrl(options.url);
    this.#conversation = this.#createConversation();
    this.#hearing = this.#createHearing();
    this.#life = new PageLife(
      {
        isBusy: () => this.#conversation.activity === "speaking" || this.#hearing.isOpen,
        onFreeze: () => this.interrupt(),
        onSlept: (ms, fellAsleepAt) => this.#awake(ms, fellAsleepAt),
        onSeen: () => this.#refresh(),
      },
      options.life,
    );
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
    return this.#hearing.isMuted;
  }

  /** Whether a microphone is open. */
  get hears() {
    return this.#hearing.isOpen;
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
      if (microphone) {
        this.#wantsMicrophone = true;
        await this.#hearing.open();
      }
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
    this.#hearing.close();
    const [connection, player] = [this.#connection, this.#player];
    this.#connection = this.#carrier = this.#player = null;
    connection?.close();
    this.#conversation.lost();
    this.#life.stop();
    this.#update();
    await player?.close();
    await this.#context.close();
  }

  /** The microphone hears nothing, or listens again. @param {boolean} [isMuted] */
  mute(isMuted = true) {
    this.#hearing.mute(isMuted);
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
    if (this.#connection?.state === "open") this.#send({ type: "session.update", session: sessionOf(this.#settings) });
  }

  /** Lets the sound begin; to be called in a click or key handler after `needs-gesture`. */
  async resume() {
    this.#context.resume();
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
    this.#life.start();
    return new Connection({
      parse: parseEvent,
      createTransport: async () => {
        this.#carrier = await (this.#options.createTransport ?? (() => this.#createTransport()))();
        return this.#carrier;
      },
      onOpen: () => this.#conversation.connected(sessionOf(this.#settings)),
      onMessage: (event) => {
        if (this.#life.alive()) return;
        this.#conversation.receive(event);
        this.#watchAnswer();
        this.#update();
      },
      onAudio: () => {},
      onLost: (error, willReturn) => {
        this.#conversation.lost();
        if (error.code !== SLEPT) this.emit({ type: "error", error });
        if (!willReturn) void this.stop();
      },
      isNeeded: () => this.#wantsMicrophone || this.#conversation.activity !== "listening",
      onState: () => this.#update(),
      backoff: this.#options.backoff,
    });
  }

  #createTransport() {
    const { model, token } = this.#options;
    return realtimeCarrier({
      ...{ url: this.url, transport: this.#transportName, model, token },
      microphone: () => this.#hearing.track,
      onTrack: (stream, peer) => this.#player?.attach?.(stream, peer),
    });
  }

  /** Made once for each start, as early as a gesture may have called us. */
  #openPlayer() {
    const listener = (/** @type {Parameters<import("./sound/border.js").PlayerListener>[0]} */ message) => this.#hear(message);
    const Player = this.#transportName === "webrtc" ? TrackPlayer : AudioPlayer;
    const create = this.#options.createPlayer ?? (() => new Player(listener, { ...this.#options, context: this.#context.get() }));
    this.#player ??= create(listener);
    return this.#player;
  }

  #createHearing() {
    return new Hearing({
      isCall: this.#transportName === "webrtc",
      context: () => this.#context.get(),
      onTrack: (track) => void this.#carrier?.replaceMicrophone?.(track),
      onFrame: (samples) => this.#sendSound(samples),
      onLevel: (level, isLoud) => {
        if (isLoud) this.#conversation.loud();
        this.emit({ type: "level", who: "user", level });
      },
      onChange: (isOpen) => this.emit({ type: "microphone", isOpen }),
      onError: (error) => this.emit({ type: "error", error }),
    });
  }

  // -- what happens -------------------------------------------------------------------------------------------------

  /** @param {Int16Array} samples of a frame */
  #sendSound(samples) {
    if (this.#life.alive() || this.#connection?.state !== "open" || (this.#carrier?.waitingBytes ?? 0) > MOST_WAITING_BYTES) return;
    this.#conversation.sent((1000 * samples.length) / REALTIME_RATE_HZ);
    this.#send({ type: "input_audio_buffer.append", audio: toBase64(samples) });
  }

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
  async #run(call) {
    const given = await runTool(this.#settings.tools, call);
    if (given) this.answer(call.callId, given.output);
  }

  /** @param {import("./wire/realtime_events.js").RealtimeCommand} command */
  #send(command) {
    this.#connection?.send(JSON.stringify(command));
  }

  /** @param {Parameters<import("./sound/border.js").PlayerListener>[0]} message */
  #hear(message) {
    if (this.#life.alive()) return;
    if (message.type === "needs-gesture") this.emit(message);
    else if (message.type === "started") this.#conversation.started(message.generation);
    else if (message.type === "drained") this.#conversation.drained(message.generation, message.playedMs);
    else if (message.type === "report") {
      this.#conversation.played(message.generation, message.playedMs);
      this.emit({ type: "level", who: "assistant", level: message.level });
    }
    this.#update();
  }

  /** The page stood still: nothing of what was being said then is heard now. @param {number} ms @param {number} fellAsleepAt */
  #awake(ms, fellAsleepAt) {
    this.#conversation.lost(fellAsleepAt);
    this.emit({ type: "slept", ms: Math.round(ms) });
    this.#connection?.abandon(new VoiceError(SLEPT, "the page was asleep"));
    this.#refresh();
    this.#update();
  }

  /** What browsers take from a page that nobody sees is asked for again. */
  #refresh() {
    void this.resume();
    this.#hearing.check();
    this.#connection?.hurry();
  }

  /** Leaves a server that owes an answer and says nothing. Started anew with every message. */
  #watchAnswer() {
    clearTimeout(this.#answerTimer);
    if (this.#conversation.activity !== "thinking") return;
    this.#answerTimer = setTimeout(() => {
      if (this.#life.alive()) return;
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
