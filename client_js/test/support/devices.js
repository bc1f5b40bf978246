// Microphones and pages that do what a test says.

/** A track of a microphone. */
export class FakeTrack extends EventTarget {
  readyState = "live";
  enabled = true;
  kind = "audio";

  /** @param {{deviceId?: string, groupId?: string}} settings */
  constructor(settings = {}) {
    super();
    this.settings = settings;
  }

  getSettings() {
    return this.settings;
  }

  stop() {
    this.readyState = "ended";
  }

  /** Its device has gone. */
  end() {
    this.readyState = "ended";
    this.dispatchEvent(new Event("ended"));
  }
}

/** A browser's devices. */
export class FakeDevices extends EventTarget {
  /** @type {FakeTrack[]} every one that was opened */
  tracks = [];
  /** Why none can be opened; null: one can. @type {string | null} */
  refusal = null;
  /** The usual microphone's group. */
  groupId = "built-in";
  asked = 0;
  listeners = 0;

  async getUserMedia() {
    this.asked += 1;
    if (this.refusal) throw new DOMException("no", this.refusal);
    const track = new FakeTrack({ deviceId: "default", groupId: this.groupId });
    this.tracks.push(track);
    return /** @type {any} */ ({ getTracks: () => [track], getAudioTracks: () => [track] });
  }

  async enumerateDevices() {
    return /** @type {any[]} */ ([{ kind: "audioinput", deviceId: "default", groupId: this.groupId }]);
  }

  /** @param {any[]} listener */
  addEventListener(...listener) {
    this.listeners += 1;
    super.addEventListener(.../** @type {[any, any]} */ (listener));
  }

  /** @param {any[]} listener */
  removeEventListener(...listener) {
    this.listeners -= 1;
    super.removeEventListener(.../** @type {[any, any]} */ (listener));
  }

  /** Something was plugged in or out. */
  change() {
    this.dispatchEvent(new Event("devicechange"));
  }
}

/** A page that can be hidden and frozen. */
export class FakePage extends EventTarget {
  /** @type {DocumentVisibilityState} */
  visibilityState = "visible";

  /** @param {DocumentVisibilityState} state */
  becomes(state) {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}
