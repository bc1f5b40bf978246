// Uses the page in Chromium as a person would, and writes down what was seen and heard.
//
//   node scenarios.mjs SCENARIO '{"url": ..., "folder": ..., ...}'
//
// The last line of the output is one JSON object; sound is left in the folder as 32-bit floats.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { launch } from "./chromium.mjs";
import { installRecording, recordedSince, RECORDER } from "./recording.mjs";

const RECORDER_URL = `data:text/javascript,${encodeURIComponent(RECORDER)}`;
const require = createRequire(new URL("../../client_js/package.json", import.meta.url));
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = { timeout: 45_000 };

const [scenario, json] = process.argv.slice(2);
const options = JSON.parse(json);
const complaints = [];
/** What was said on the wire, and the page it was said on: told when a scenario fails. */
const wire = [];
let lastPage = null;
const browser = await launch(options.microphone);

/** A page that complains to us. To record it, its content security policy is lifted: our recorder is not its own. */
async function open({ isRecorded = true, ...settings } = {}, prepare = async () => {}) {
  const context = await browser.newContext({ bypassCSP: isRecorded, ...settings });
  const page = await context.newPage();
  page.on("console", (message) => {
    const isKnown = message.text().includes("ScriptProcessorNode is deprecated"); // it stands in where there is no worklet
    if (["error", "warning"].includes(message.type()) && !isKnown) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("websocket", (socket) => {
    const note = (sign) => ({ payload }) => wire.push(`${sign} ${typeof payload === "string" ? payload : `${payload.length} bytes`}`.slice(0, 200));
    socket.on("framesent", note(">"));
    socket.on("framereceived", note("<"));
  });
  lastPage = page;
  await page.addInitScript(installRecording, isRecorded ? RECORDER_URL : null);
  await prepare(page);
  await page.goto(options.url);
  await page.waitForFunction(() => document.getElementById("voice").value !== "" || !document.getElementById("key-panel").hidden);
  return page;
}

const ready = (page) => page.waitForFunction(() => document.getElementById("speak-label").textContent === "Speak", null, PATIENCE);
const wordsLit = (page, count) => page.waitForFunction((n) => globalThis.recording.words.length >= n, count, PATIENCE);
const fill = (page, text) => page.getByRole("textbox", { name: "Text to speak" }).fill(text);
const speak = (page) => page.getByRole("button", { name: "Speak", exact: true }).click();

async function choose(page, transport) {
  if (transport === "webrtc") await page.getByText("WebRTC", { exact: true }).click();
}

/** What was heard from a block on, left in a file. */
async function keepSound(page, name, from = 0) {
  const path = join(options.folder, `${name}.f32`);
  writeFileSync(path, Buffer.from(await page.evaluate(recordedSince, from), "base64"));
  return { path, rate: await page.evaluate(() => globalThis.recording.rate) };
}

async function seen(page) {
  return page.evaluate(() => ({
    words: globalThis.recording.words,
    status: document.getElementById("status").textContent,
    notice: document.getElementById("notice").hidden ? "" : document.getElementById("notice").textContent,
    heard: document.getElementById("heard").hidden ? null : (document.querySelector("#heard q")?.textContent ?? ""),
    firstAudio: document.getElementById("first-audio").textContent,
    underruns: document.getElementById("underruns").textContent,
    button: document.getElementById("speak-label").textContent,
    buffer: document.getElementById("buffer-note").textContent,
  }));
}

/** Runs inside the page: remembers the microphones that are opened. */
function keepMicrophones() {
  globalThis.tracks = [];
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (...wishes) => {
    const stream = await open(...wishes);
    globalThis.tracks.push(...stream.getTracks());
    return stream;
  };
}

/** Runs inside the page: the device of the microphone goes, once it listens. */
async function loseMicrophone() {
  while (document.getElementById("status").textContent !== "Listening.") await new Promise((resolve) => setTimeout(resolve, 10));
  const [track] = globalThis.tracks;
  track.stop();
  track.dispatchEvent(new Event("ended"));
}

const scenarios = {
  /** Dictates what the microphone hears, and looks at the guesses on the way. */
  async dictate() {
    const page = await open({ viewport: { width: 1000, height: 900 } });
    await fill(page, "Dear diary.");
    await page.evaluate(keepMicrophones);
    await page.getByRole("button", { name: "Dictate", exact: true }).click();
    if (options.loses) await page.evaluate(loseMicrophone);
    await page.waitForSelector("#backdrop .partial", PATIENCE);
    const guess = await page.evaluate(() => {
      const partial = document.querySelector("#backdrop .partial");
      const colours = [partial, partial.parentElement].map((each) => getComputedStyle(each).color);
      return { text: partial.textContent, isGrey: colours[0] !== colours[1], field: document.getElementById("text").value };
    });
    await page.screenshot({ path: join(options.folder, "page-dictating.png") });
    await page.waitForFunction(() => document.getElementById("text").value.length > "Dear diary.".length + 10, null, PATIENCE);
    await page.getByRole("button", { name: "Stop dictating", exact: true }).click();
    await page.waitForFunction(() => document.getElementById("status").textContent === "Ready.", null, PATIENCE);
    const text = await page.evaluate(() => document.getElementById("text").value);
    const microphones = await page.evaluate(() => globalThis.tracks.map(({ readyState }) => readyState));
    return { guess, text, microphones, notice: (await seen(page)).notice };
  },

  /** Reads a text out, to its end. */
  async speak() {
    const page = await open();
    await choose(page, options.transport);
    await fill(page, options.text);
    await speak(page);
    await wordsLit(page, 1);
    await ready(page);
    await page.waitForTimeout(300); // the recorder's last block
    return { ...(await seen(page)), sound: await keepSound(page, "speak") };
  },

  /** Stops in mid-sentence, listens to the silence, and goes on from there. */
  async stop() {
    const page = await open();
    await choose(page, options.transport);
    await fill(page, options.text);
    await speak(page);
    await wordsLit(page, 4);
    await page.keyboard.press("Escape");
    await page.waitForTimeout(500); // what is on its way through the browser may still sound: 100 ms of the recorder's own
    const from = await page.evaluate(() => globalThis.recording.blocks.length);
    await page.waitForTimeout(700);
    const stopped = await seen(page);
    const silence = await keepSound(page, "silence", from);
    const before = stopped.words.length;
    await page.getByRole("button", { name: "Continue from there" }).click();
    await wordsLit(page, before + 1);
    await ready(page);
    return { stopped, silence, continued: (await seen(page)).words.slice(before) };
  },

  /** Goes on writing while it speaks, by the keyboard alone. */
  async write() {
    const page = await open();
    await fill(page, options.text);
    await page.keyboard.press("Control+Enter");
    await wordsLit(page, 1);
    await page.keyboard.press("Control+End");
    await page.keyboard.type(options.more, { delay: 30 });
    await ready(page);
    await page.waitForTimeout(300);
    return { ...(await seen(page)), sound: await keepSound(page, "write") };
  },

  /** Speaks while it is written, without a press of Speak. */
  async live() {
    const page = await open();
    await page.getByRole("button", { name: "an empty page" }).click();
    await page.getByText("Speak as I write").click();
    await page.keyboard.type(options.text, { delay: 40 });
    await wordsLit(page, 1);
    await ready(page);
    await page.waitForTimeout(300);
    return { ...(await seen(page)), sound: await keepSound(page, "live") };
  },

  /** The connection breaks in mid-sentence; the next press of Speak works. */
  async broken() {
    let socket = null;
    const page = await open({ isRecorded: false }, (opening) =>
      opening.routeWebSocket(/speech\/stream/, (route) => {
        route.connectToServer();
        socket = route;
      }),
    );
    await fill(page, options.text);
    await speak(page);
    await wordsLit(page, 2);
    await socket.close({ code: 1011, reason: "broken by the test" });
    await ready(page);
    const broken = await seen(page);
    await speak(page);
    await wordsLit(page, broken.words.length + 2);
    await ready(page);
    return { broken, again: await seen(page) };
  },

  /** No server answers. */
  async unreachable() {
    const page = await open({ isRecorded: false }, (opening) => opening.routeWebSocket(/speech\/stream/, (route) => route.close({ code: 1011 })));
    await speak(page);
    await page.waitForFunction(() => !document.getElementById("notice").hidden);
    await ready(page);
    return seen(page);
  },

  /** A server that asks for a key: a wrong one, then the right one. */
  async key() {
    const page = await open({ isRecorded: false });
    await page.getByLabel(/asks for a key/).fill("wrong");
    const refused = page.waitForResponse((response) => response.status() === 401);
    await page.getByRole("button", { name: "Use it" }).click();
    await refused;
    await page.getByLabel(/asks for a key/).fill(options.key);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.waitForFunction(() => document.getElementById("key-panel").hidden);
    await choose(page, options.transport);
    await fill(page, options.text);
    await speak(page);
    await wordsLit(page, 1);
    await ready(page);
    const ofBrowser = complaints.filter((text) => text.includes("401")); // it reports every refusal by itself
    for (const text of ofBrowser) complaints.splice(complaints.indexOf(text), 1);
    return seen(page);
  },

  /** The HTTP route, played while it downloads; and the player where there is no AudioWorklet. */
  async library() {
    const page = await open({}, (opening) => opening.addInitScript(() => delete BaseAudioContext.prototype.audioWorklet));
    const events = await page.evaluate(async (input) => {
      const { speech } = await import("/client/index.js");
      const playing = speech("/v1/audio/speech", { input });
      const types = [];
      for (const type of ["audio-start", "metrics", "done"]) playing.on(type, () => types.push(type));
      return { done: await playing.done, first: types[0], last: types.at(-1), hasMetrics: types.includes("metrics") };
    }, options.text);
    await page.waitForTimeout(300);
    return { ...events, sound: await keepSound(page, "library") };
  },

  /** Pictures in mid-sentence, and what a screen reader would stumble over. */
  async look() {
    const found = [];
    const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
    const { colorScheme } = options;
    for (const [name, viewport] of Object.entries(sizes)) {
      const page = await open({ colorScheme, viewport, isRecorded: false });
      await fill(page, options.text);
      await speak(page);
      await wordsLit(page, 8);
      await page.screenshot({ path: join(options.folder, `page-${name}-${colorScheme}.png`) });
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Continue from there" }).waitFor();
      await page.screenshot({ path: join(options.folder, `page-${name}-${colorScheme}-stopped.png`), fullPage: name === "desktop" });
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      for (const { id, help, nodes } of violations) found.push(`${name} ${colorScheme}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) found.push(`${name}: the page is ${overflow} px too wide`);
      await page.context().close();
    }
    return { violations: found };
  },
};

try {
  const result = await scenarios[scenario]();
  console.log(JSON.stringify({ ...result, complaints }));
} catch (error) {
  const state = await seen(lastPage).catch(String);
  console.error([error, JSON.stringify(state), ...complaints, ...wire.slice(-20)].join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
