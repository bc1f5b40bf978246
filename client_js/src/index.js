// The public names of the package.

export { Assistant } from "./assistant.js";
export { VoiceClient } from "./client.js";
export { VoiceError } from "./errors.js";
export { parse, parseClient, PROTOCOL_VERSION, serialize, SUBPROTOCOL } from "./wire/messages.js";
export { PLAYBACK_DEFAULTS, PlaybackBuffer } from "./sound/playback_buffer.js";
export { AudioPlayer } from "./sound/player.js";
export { speech, Speech } from "./speech.js";
export { Listener } from "./listener.js";
export { transcribe } from "./transcribe.js";
export { fetchClientSecret, fetchToken } from "./wire/token.js";
