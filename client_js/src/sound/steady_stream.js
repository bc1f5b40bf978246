// A microphone's stream that is opened again when its device goes, or when another one becomes the usual one.
//
// While there is none it waits: for a moment, since devices come and go together, and for any change of the devices.
// Knows no sound and no transport. Used by microphone.js and recorder.js.

import { VoiceError } from "../errors.js";

/**
 * @typedef {object} StreamListener
 * @property {(stream: MediaStream) => void} onStream this one is heard from now on
 * @property {(error: VoiceError) => void} onLost there is none any more; told once, until there is one again
 *
 * @typedef {Pick<MediaDevices, "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener">} Devices
 */

/** The assistant's own voice comes back out of the room: the browser takes it out. */
const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const REASONS = /** @type {Record<string, [string, string]>} */ ({
  NotAllowedError: ["microphone_denied", "the microphone was not allowed"],
  NotFoundError: ["microphone_missing", "there is no microphone"],
  NotReadableError: ["microphone_busy", "the microphone is used by another program"],
});
/** When it is asked for again, after a loss, even if no device is told to have changed. */
const RETRY_MS = [500, 1000, 2000];
/** The id that Chromium gives to whichever device is the usual one. */
const USUAL = "default";

export class SteadyStream {
  #listener;
  #constraints;
  #devices;
  /** @type {MediaStream | null} */
  #stream = null;
  #isMuted = false;
  #isOpen = false;
  #isLost = false;
  /** @type {Promise<void> | null} */
  #opening = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {StreamListener} listener
   * @param {MediaTrackConstraints} [constraints] besides those of speech
   * @param {Devices | undefined} [devices] the browser's
   */
  constructor(listener, constraints = {}, devices = globalThis.navigator?.mediaDevices) {
    this.#listener = listener;
    this.#constraints = constraints;
    this.#devices = devices;
  }

  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  /** Asks for it. @throws {VoiceError} `microphone_denied`, `microphone_missing`, `microphone_busy` or `microphone_failed` */
  async open() {
    this.#isOpen = true;
    try {
      await this.#reopen();
    } catch (error) {
      this.#isOpen = false;
      throw error;
    }
    if (this.#isOpen) this.#devices?.addEventListener("devicechange", this.#changed);
  }

  /** Opens the microphone again if its device has gone, as after a tab has slept. */
  check() {
    if (!this.#isOpen || this.track?.readyState === "live") return;
    this.#retry(0);
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    if (this.track) this.track.enabled = !isMuted;
  }

  /** Frees it. */
  close() {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#devices?.removeEventListener("devicechange", this.#changed);
    this.#release();
  }

  #ended = () => this.check();

  #changed = async () => {
    if (this.track?.readyState !== "live") this.check();
    else if (await this.#isOutdated()) this.#reopen().catch(() => {}); // the old one still hears
  };

  /** Whether another device is the usual one now, and the usual one was asked for. */
  async #isOutdated() {
    const { deviceId, groupId } = this.track?.getSettings() ?? {};
    if (deviceId !== USUAL || !groupId) return false;
    const devices = (await this.#devices?.enumerateDevices().catch(() => [])) ?? [];
    const usual = devices.find((each) => each.kind === "audioinput" && each.deviceId === USUAL);
    return this.#isOpen && usual !== undefined && usual.groupId !== "" && usual.groupId !== groupId;
  }

  /** @param {number} attempt counts up from 0 */
  #retry(attempt) {
    clearTimeout(this.#timer);
    this.#reopen().catch((error) => {
      if (!this.#isOpen) return;
      if (!this.#isLost) this.#listener.onLost(error);
      this.#isLost = true;
      const mayCome = error.code !== "microphone_denied" && attempt < RETRY_MS.length;
      if (mayCome) this.#timer = setTimeout(() => this.#retry(attempt + 1), RETRY_MS[attempt]);
    });
  }

  #reopen() {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open() {
    const stream = await this.#ask();
    if (!this.#isOpen) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.#release();
    this.#isLost = false;
    this.#stream = stream;
    this.mute(this.#isMuted);
    this.track?.addEventListener("ended", this.#ended);
    this.#listener.onStream(stream);
  }

  async #ask() {
    if (!this.#devices) {
      throw new VoiceError("microphone_denied", "browsers open the microphone only on pages with https, and on this machine's own");
    }
    return this.#devices.getUserMedia({ audio: { ...CONSTRAINTS, ...this.#constraints } }).catch((cause) => {
      const [code, message] = REASONS[cause.name] ?? ["microphone_failed", "the microphone could not be opened"];
      throw new VoiceError(code, message, { cause });
    });
  }

  #release() {
    this.track?.removeEventListener("ended", this.#ended);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }
}
