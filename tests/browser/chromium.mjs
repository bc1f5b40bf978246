// Starts the machine's own Chromium for the browser tests, with sound but without a sound card.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../client_js/package.json", import.meta.url));
const { chromium } = require("playwright-core");

export const CHROMIUM = process.env.VIVAVOCE_CHROMIUM ?? "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
];

/** A fresh browser; close it when done. @param {string | null} [speech] a WAV file that its microphone hears, once; else it beeps */
export function launch(speech = null) {
  const microphone = speech ? [`--use-file-for-fake-audio-capture=${speech}%noloop`] : [];
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...microphone], headless: true });
}
