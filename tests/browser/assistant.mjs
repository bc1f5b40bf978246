// Talks to the assistant's page in Chromium as a person would, and writes down what was seen and heard.
//
//   node assistant.mjs SCENARIO '{"url": ..., "folder": ..., "speech": a WAV file for the microphone, ...}'
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
const PATIENCE = { timeout: 30_000 };

const [scenario, json] = process.argv.slice(2);
const options = JSON.parse(json);
const complaints = [];
const browser = await launch(options.speech);
let lastPage = null;
let connections = 0;

/** Runs inside the page: keeps every microphone that was opened, and who had the floor when. */
function installWatch() {
  const watch = { tracks: [], floor: [], cutAt: null };
  globalThis.watch = watch;
  const { mediaDevices } = navigator;
  const open = mediaDevices?.getUserMedia.bind(mediaDevices);
  if (open) {
    mediaDevices.getUserMedia = async (...wishes) => {
      const stream = await open(...wishes);
      watch.tracks.push(...stream.getTracks());
      return stream;
    };
  }
  addEventListener("DOMContentLoaded", () => {
    const circle = document.getElementById("talk");
    if (!circle) return;
    new MutationObserver(() => {
      const { who } = circle.dataset;
      if (watch.floor.at(-1) !== who) watch.floor.push(who);
      if (who === "user" && document.querySelector(".is-cut")) watch.cutAt ??= globalThis.recording.blocks.length;
    }).observe(circle, { attributes: true, attributeFilter: ["data-who"] });
  });
}

async function open({ isRecorded = true, ...settings } = {}) {
  const context = await browser.newContext({ bypassCSP: isRecorded, permissions: ["microphone"], ...settings });
  const page = await context.newPage();
  page.on("websocket", () => (connections += 1));
  page.on("request", (request) => (connections += Number(request.url().endsWith("/v1/realtime/calls"))));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  lastPage = page;
  await page.addInitScript(installRecording, isRecorded ? RECORDER_URL : null);
  await page.addInitScript(installWatch);
  await page.goto(new URL("assistant", options.url).href);
  await page.waitForFunction(() => document.getElementById("voice").value !== "" || !document.getElementById("key-panel").hidden);
  if (options.transport) {
    await page.getByText("Settings", { exact: true }).click();
    await page.getByText(options.transport === "webrtc" ? "WebRTC" : "WebSocket", { exact: true }).click();
  }
  return page;
}

const start = (page) => page.getByRole("button", { name: "Start talking" }).click();
const replies = (page, count) => page.waitForFunction((n) => document.querySelectorAll(".dialogue .reply").length >= n, count, PATIENCE);
const floor = (page, who) => page.waitForFunction((w) => document.getElementById("talk").dataset.who === w, who, PATIENCE);
const end = async (page) => {
  await page.getByRole("button", { name: "End", exact: true }).click();
  await floor(page, "nobody");
};
const write = async (page, text) => {
  await page.getByRole("textbox", { name: "Write instead" }).fill(text);
  await page.keyboard.press("Enter");
};

/** What was heard from a block on, left in a file. */
async function keepSound(page, name, from = 0) {
  const path = join(options.folder, `${name}.f32`);
  writeFileSync(path, Buffer.from(await page.evaluate(recordedSince, from), "base64"));
  return { path, rate: await page.evaluate(() => globalThis.recording.rate) };
}

async function seen(page) {
  return page.evaluate(() => ({
    said: [...document.querySelectorAll(".dialogue li")].map((item) => ({
      who: item.classList.contains("user") ? "user" : "assistant",
      text: item.classList.contains("is-cut") ? item.querySelector("p").firstChild.textContent : item.querySelector("p").textContent,
      isCut: item.classList.contains("is-cut"),
    })),
    floor: globalThis.watch.floor,
    answered: document.getElementById("answered").textContent,
    stages: [...document.querySelectorAll("#turns li:last-child i")].map((part) => part.dataset.stage),
    doing: [...document.querySelectorAll("#doing li")].map((item) => item.textContent),
    notice: document.getElementById("notice").hidden ? "" : document.getElementById("notice").textContent,
    microphones: globalThis.watch.tracks.map((track) => track.readyState),
  }));
}

/** Run inside the page: what Chromium does to a tab it freezes (it freezes none that is driven), and a machine's sleep. */
const SLEEPS = {
  freeze: () => {
    document.dispatchEvent(new Event("freeze"));
    for (const end = performance.now() + 3000; performance.now() < end; );
    document.dispatchEvent(new Event("resume"));
  },
  machine: () => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
  },
};

const scenarios = {
  /** Asks by voice, hears the answer to its end, and ends. */
  async ask() {
    const page = await open();
    await start(page);
    await floor(page, "assistant");
    await floor(page, "listening");
    await page.waitForTimeout(300); // the recorder's last block
    const answered = await seen(page);
    await end(page);
    return { ...answered, ended: (await seen(page)).microphones, sound: await keepSound(page, "ask") };
  },

  /** Talks over the answer. */
  async interrupt() {
    const page = await open();
    await start(page);
    await page.waitForFunction(() => document.querySelector(".is-cut") !== null, null, PATIENCE);
    const cut = await seen(page);
    await page.waitForTimeout(500); // what is on its way through the browser may still sound: 100 ms of the recorder's own
    const from = await page.evaluate(() => globalThis.recording.blocks.length);
    await page.waitForTimeout(400);
    const silence = await keepSound(page, "silence", from);
    await replies(page, 2);
    await page.waitForTimeout(1200); // what the server believes was heard has come
    const later = await seen(page);
    await end(page);
    return { cut, silence, later };
  },

  /** Loses the microphone before asking; then another one, with none to follow until one is plugged in. */
  async device() {
    const page = await open({ isRecorded: false });
    await start(page);
    await floor(page, "listening");
    await page.evaluate(() => {
      const [track] = globalThis.watch.tracks;
      track.stop();
      track.dispatchEvent(new Event("ended"));
    });
    await replies(page, 1);
    await floor(page, "assistant");
    await floor(page, "listening");
    const answered = { ...(await seen(page)), connections };
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const open = mediaDevices.getUserMedia;
      mediaDevices.getUserMedia = () => Promise.reject(new DOMException("none", "NotFoundError"));
      globalThis.plugIn = () => {
        mediaDevices.getUserMedia = open;
        mediaDevices.dispatchEvent(new Event("devicechange"));
      };
      const track = globalThis.watch.tracks.at(-1);
      track.stop();
      track.dispatchEvent(new Event("ended"));
    });
    await floor(page, "nobody");
    const without = await seen(page);
    await page.evaluate(() => globalThis.plugIn());
    await floor(page, "listening");
    const again = { ...(await seen(page)), connections };
    await end(page);
    return { answered, without, again, ended: (await seen(page)).microphones };
  },

  /** Stands still while the assistant speaks, and goes on. */
  async sleep() {
    const page = await open();
    await write(page, "Tell me a story.");
    await floor(page, "assistant");
    await page.waitForFunction(() => (document.querySelector(".reply .said")?.textContent.length ?? 0) > 20, null, PATIENCE);
    await page.evaluate(SLEEPS[options.how]);
    await page.waitForFunction(() => !document.getElementById("notice").hidden, null, PATIENCE);
    const woken = await seen(page);
    await page.waitForTimeout(500); // what is on its way through the browser may still sound: 100 ms of the recorder's own
    const from = await page.evaluate(() => globalThis.recording.blocks.length);
    await page.waitForTimeout(1500);
    const silence = await keepSound(page, "asleep", from);
    await write(page, "What is the capital of France?");
    await replies(page, 2);
    await floor(page, "assistant");
    const goesOn = { ...(await seen(page)), connections };
    await end(page);
    return { woken, silence, goesOn };
  },

  /** Writes; asks for a timer, which rings, and for music, which is stopped. */
  async write() {
    const page = await open({ isRecorded: false });
    await write(page, "Set a timer for two seconds.");
    await page.getByRole("timer").waitFor(PATIENCE);
    await page.locator(".is-ringing").waitFor(PATIENCE);
    const rang = await seen(page);
    await write(page, "Play some music.");
    await page.locator("#doing li", { hasText: "Music" }).waitFor(PATIENCE);
    const played = await seen(page);
    await write(page, "Stop the music.");
    await page.locator("#doing li", { hasText: "Music" }).waitFor({ ...PATIENCE, state: "detached" });
    await end(page);
    return { rang, played, stopped: await seen(page) };
  },

  /** A server that asks for a key. */
  async key() {
    const page = await open({ isRecorded: false });
    await page.getByLabel(/asks for a key/).fill(options.key);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.waitForFunction(() => document.getElementById("key-panel").hidden);
    await write(page, "Set a timer for nine minutes.");
    await page.getByRole("timer").waitFor(PATIENCE);
    const ofBrowser = complaints.filter((text) => text.includes("401")); // it reports every refusal by itself
    for (const text of ofBrowser) complaints.splice(complaints.indexOf(text), 1);
    await end(page);
    return seen(page);
  },

  /** No microphone is allowed. */
  async refused() {
    const page = await open({ isRecorded: false });
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await start(page);
    await page.waitForFunction(() => !document.getElementById("notice").hidden);
    return seen(page);
  },

  /** Pictures of a conversation, and what a screen reader would stumble over. */
  async look() {
    const found = [];
    const { colorScheme } = options;
    for (const [name, viewport] of Object.entries({ desktop: { width: 1280, height: 1000 }, phone: { width: 390, height: 844 } })) {
      const page = await open({ colorScheme, viewport, isRecorded: false });
      const picture = (what, fullPage = false) => page.screenshot({ path: join(options.folder, `assistant-${name}-${colorScheme}-${what}.png`), fullPage });
      await picture("idle");
      await start(page);
      await write(page, "Set a timer for five minutes.");
      await floor(page, "assistant");
      await floor(page, "listening");
      await page.waitForTimeout(700); // the circle comes to rest
      await picture("listening");
      await write(page, options.text);
      await page.waitForFunction(() => document.querySelectorAll(".dialogue .reply").length > 1 && (document.querySelector(".reply:last-child .said")?.textContent.length ?? 0) > 40, null, PATIENCE);
      await picture("speaking", name === "desktop");
      if (name === "phone") await page.getByRole("button", { name: "Interrupt" }).click();
      else await page.keyboard.press("Escape");
      await page.locator(".is-cut").waitFor(PATIENCE);
      await picture("cut", true);
      await page.getByText("Settings", { exact: true }).click();
      await page.waitForTimeout(300); // animations end
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      for (const { id, help, nodes } of violations) found.push(`${name} ${colorScheme}: ${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) found.push(`${name}: the page is ${overflow} px too wide`);
      await picture("settings", true);
      await end(page);
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
  await lastPage?.screenshot({ path: join(options.folder, `failed-${scenario}.png`) }).catch(() => {});
  console.error([error, JSON.stringify(state), ...complaints].join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
}
