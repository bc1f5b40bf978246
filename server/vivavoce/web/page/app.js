// The page: connects what is written, pressed and chosen with the voice, and shows what the voice does.

import { fetchToken, VoiceClient } from "/client/index.js";

import { dictation } from "./dictation.js";
import { BufferGraph, Wave } from "./gauges.js";
import { element, hide, Key, notice, show, status } from "./parts.js";
import { SAMPLES, SNIPPET } from "./samples.js";
import { Script } from "./script.js";
import { TextView } from "./text_view.js";
import { themeSwitch } from "./theme.js";

/** How long a writer may think before what is there is spoken as it is. */
const WRITING_PAUSE_MS = 900;

const page = {
  /** @type {HTMLTextAreaElement} */ text: element("text"),
  /** @type {HTMLButtonElement} */ speak: element("speak"),
  /** @type {HTMLSelectElement} */ voice: element("voice"),
  /** @type {HTMLInputElement} */ speed: element("speed"),
  /** @type {HTMLInputElement} */ live: element("live"),
};

const script = new Script();
const wave = new Wave(element("wave"));
const graph = new BufferGraph(element("buffer-graph"));

const key = new Key(() => {
  renew();
  void key.loadVoices(page.voice);
});
/** @type {VoiceClient | null} */
let client = null;
/** Utterances that have not ended. */
const speaking = new Set();
let underrunsBefore = 0;
let heardTo = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let writingTimer;

page.text.value = SAMPLES.greeting;
const view = new TextView(page.text, element("backdrop"));

// -- speaking -------------------------------------------------------------------------------------------------------

/** Says the text from a place on. @param {number} from @param {number} [to] */
async function speakFrom(from, to = view.text.length) {
  hide("notice", "heard");
  if (!view.text.slice(from, to).trim()) {
    notice("Write something first.");
    page.text.focus();
    return;
  }
  script.begin(view.text, from);
  view.say(from, from, to);
  const voice = openClient();
  give(to);
  voice.end();
  await voice.resume();
}

/** Gives the voice the text up to there. @param {number} end */
function give(end) {
  const at = script.committed;
  const delta = script.take(end);
  if (!delta || (!delta.trim() && speaking.size === 0)) return;
  const utterance = openClient().write(delta);
  script.place(utterance, at);
  speaking.add(utterance);
  update();
}

/** What is written after the text that is being said is said too. */
function follow() {
  if (speaking.size === 0 && !page.live.checked) return;
  give(script.wholeWords);
  clearTimeout(writingTimer);
  writingTimer = setTimeout(() => {
    give(view.text.length);
    client?.end();
  }, WRITING_PAUSE_MS);
}

async function stop() {
  clearTimeout(writingTimer);
  if (!client || speaking.size === 0) return;
  const [first] = speaking;
  const { text } = await client.cancel();
  heardTo = script.locate(first, text.length) ?? 0;
  view.stop(heardTo);
  showHeard(text);
}

/** @param {string} text */
function showHeard(text) {
  const quote = document.createElement("q");
  quote.textContent = text.length > 160 ? `…${text.slice(-150).replace(/^\S*\s/, "")}` : text;
  element("heard-text").replaceChildren(...(text ? ["Stopped. You heard: ", quote] : ["Stopped before the first word."]));
  show("heard");
  status("Stopped.");
}

// -- the client -----------------------------------------------------------------------------------------------------

/** The client for what is chosen; made at a press of a button, so that the browser lets it sound. */
function openClient() {
  client ??= createClient();
  return client;
}

function createClient() {
  const chosen = /** @type {HTMLInputElement} */ (document.querySelector("input[name=transport]:checked"));
  const voice = new VoiceClient({
    transport: chosen.value === "webrtc" ? "webrtc" : "websocket",
    voice: page.voice.value || undefined,
    config: { speed: Number(page.speed.value) },
    token: key.value ? () => fetchToken(location.origin, key.value) : undefined,
  });
  voice.on("state", update);
  voice.on("word", ({ utterance, start, end }) => {
    const from = script.locate(utterance, start);
    if (from !== null) view.say(from, from + end - start, script.committed);
  });
  voice.on("audio-start", ({ firstAudioMs }) => {
    element("first-audio").textContent = String(Math.round(firstAudioMs));
  });
  voice.on("level", ({ level }) => wave.add(level));
  voice.on("metrics", showMetrics);
  voice.on("error", ({ error }) => key.failed(error));
  voice.on("needs-gesture", () => notice("The browser holds the sound back. Press Speak again."));
  voice.on("done", ({ utterance, status: end }) => {
    speaking.delete(utterance);
    if (speaking.size === 0 && end !== "cancelled") view.rest();
    update();
  });
  return voice;
}

/** Something was chosen that needs another connection. */
function renew() {
  const before = client;
  client = null;
  underrunsBefore = 0;
  void before?.close();
  speaking.clear();
  view.rest();
  update();
}

// -- what is shown --------------------------------------------------------------------------------------------------

function update() {
  const isBusy = speaking.size > 0;
  const state = client?.state ?? "disconnected";
  page.speak.classList.toggle("is-busy", isBusy);
  page.speak.classList.toggle("is-waiting", isBusy && state !== "speaking");
  element("speak-label").textContent = isBusy ? "Stop" : "Speak";
  if (state === "reconnecting") status("The connection broke. Opening it again…");
  else if (isBusy) status(state === "speaking" ? "Speaking." : "Waiting for the first sound…");
  else if (element("heard").hidden) status("Ready.");
}

/** @param {import("/client/client.js").MetricsEvent} metrics */
function showMetrics(metrics) {
  graph.add(metrics);
  const { bufferedMs, targetMs, underruns, underrunMs, pauses, transport } = metrics;
  const isLong = bufferedMs >= 1000;
  element("buffered").textContent = isLong ? (bufferedMs / 1000).toFixed(1) : String(Math.round(bufferedMs));
  element("buffered-unit").textContent = isLong ? "s" : "ms";
  element("buffer-note").textContent =
    transport === "webrtc" ? "in the browser’s own jitter buffer" : `here, but not yet played; wants ${Math.round(targetMs)} ms`;
  element("underruns").textContent = String(underruns);
  element("underruns").classList.toggle("is-alarming", underruns > 0);
  element("underruns-note").textContent = underrunsNote(underruns, underrunMs, pauses);
  if (underruns > underrunsBefore) status("The sound ran out for a moment.");
  underrunsBefore = underruns;
}

/** @param {number} underruns @param {number} underrunMs @param {number} pauses */
function underrunsNote(underruns, underrunMs, pauses) {
  if (underruns > 0) return `${Math.round(underrunMs)} ms of silence`;
  if (pauses > 0) return `none heard; ${pauses} hidden in pauses`;
  return "times the sound ran out";
}

// -- what is pressed ------------------------------------------------------------------------------------------------

function toggle() {
  if (speaking.size > 0) {
    void stop();
    return;
  }
  const { selectionStart, selectionEnd } = page.text;
  if (selectionEnd > selectionStart) void speakFrom(selectionStart, selectionEnd);
  else void speakFrom(0);
}

page.speak.addEventListener("click", toggle);
element("continue").addEventListener("click", () => void speakFrom(heardTo));

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    toggle();
  } else if (event.key === "Escape") {
    void stop();
  }
});

page.text.addEventListener("input", () => {
  const { at, by } = script.edit(view.text);
  if (speaking.size === 0) view.rest();
  else view.shift(at, by);
  hide("heard");
  follow();
  view.render();
});

dictation({
  button: element("listen"),
  view,
  key: () => key.value,
  onText: () => page.text.dispatchEvent(new Event("input")),
  onStatus: status,
  onError: (error) => key.failed(error),
});

page.live.addEventListener("change", () => {
  if (speaking.size === 0) script.begin(view.text, view.text.length);
  if (page.live.checked) {
    openClient().connect().catch((error) => key.failed(error));
    page.text.focus();
    page.text.setSelectionRange(view.text.length, view.text.length);
  }
});

element("samples").addEventListener("click", async ({ target }) => {
  const name = /** @type {HTMLElement} */ (target).dataset.sample;
  if (name === undefined) return;
  await stop();
  hide("heard", "notice");
  page.text.value = SAMPLES[name];
  script.begin(view.text, view.text.length);
  view.rest();
  page.text.focus();
});

page.voice.addEventListener("change", () => client?.configure({ voice: page.voice.value }));
page.speed.addEventListener("input", () => {
  element("speed-value").textContent = `${Number(page.speed.value)}×`;
});
page.speed.addEventListener("change", () => client?.configure({ speed: Number(page.speed.value) }));
for (const radio of document.querySelectorAll("input[name=transport]")) radio.addEventListener("change", renew);

addEventListener("resize", () => {
  wave.renew();
  graph.renew();
});
addEventListener("pagehide", () => void client?.close());

themeSwitch(element("theme"), () => {
  wave.renew();
  graph.renew();
});
element("snippet").textContent = SNIPPET.replaceAll("ORIGIN", location.origin);
script.begin(view.text, view.text.length);
void key.loadVoices(page.voice);
