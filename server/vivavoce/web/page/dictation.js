// The microphone button: what is said becomes text, guesses in grey until they are certain.

import { fetchToken, Listener } from "/client/index.js";

/**
 * @param {object} parts
 * @param {HTMLElement} parts.button
 * @param {import("./text_view.js").TextView} parts.view
 * @param {() => string} parts.key of the server, empty where it asks for none
 * @param {() => void} parts.onText the text has grown
 * @param {(text: string) => void} parts.onStatus
 * @param {(error: any) => void} parts.onError
 */
export function dictation({ button, view, key, onText, onStatus, onError }) {
  /** @type {Listener | null} */
  let listener = null;

  const begin = () => {
    const made = new Listener({ token: key() ? () => fetchToken(location.origin, key()) : undefined });
    made.on("state", ({ state }) => {
      const isOn = state === "starting" || state === "listening";
      button.setAttribute("aria-pressed", String(isOn));
      button.setAttribute("aria-label", isOn ? "Stop dictating" : "Dictate");
      if (state === "listening") onStatus("Listening.");
      else if (state === "finishing") onStatus("Waiting for the last words…");
      else if (state === "off") onStatus("Ready.");
    });
    made.on("level", ({ level }) => button.style.setProperty("--level", String(Math.min(1, 4 * level).toFixed(2))));
    made.on("partial", ({ text }) => view.guess(text));
    made.on("final", ({ text }) => {
      view.guess("");
      if (!text) return;
      view.add(text);
      onText();
    });
    made.on("error", ({ error }) => onError(error));
    made.on("done", () => {
      view.guess("");
      listener = null;
    });
    listener = made;
    made.start().catch(onError);
  };

  button.addEventListener("click", () => {
    if (listener) void listener.stop();
    else begin();
  });
  addEventListener("pagehide", () => void listener?.close());
}
