// The assistant's page: one circle to press, what both sides say, what each turn took.

import { Assistant, fetchClientSecret } from "/client/index.js";

import { Dialogue } from "./dialogue.js";
import { Doing } from "./doing.js";
import { Orb } from "./orb.js";
import { element, hide, Key, notice, status } from "./parts.js";
import { WHILE_TALKING } from "./plain_words.js";
import { ASSISTANT_SNIPPET } from "./samples.js";
import { themeSwitch } from "./theme.js";
import { TurnBars } from "./turn_bars.js";

const page = {
  /** @type {HTMLButtonElement} */ talk: element("talk"),
  /** @type {HTMLButtonElement} */ mute: element("mute"),
  /** @type {HTMLButtonElement} */ interrupt: element("interrupt"),
  /** @type {HTMLButtonElement} */ end: element("end"),
  /** @type {HTMLInputElement} */ text: element("line"),
  /** @type {HTMLTextAreaElement} */ instructions: element("instructions"),
  /** @type {HTMLSelectElement} */ voice: element("voice"),
  /** @type {HTMLSelectElement} */ model: element("model"),
};

/** What the page says of each state: a line to see, and one below it. @type {Record<import("./orb.js").Who, [string, string]>} */
const SAID = {
  nobody: ["Press, and talk.", "It answers aloud. Talk over it, and it listens."],
  listening: ["I’m listening.", "Say something, or write below."],
  user: ["You", "I’m all ears."],
  thinking: ["One moment.", ""],
  assistant: ["Viva Voce", "Talk over me, or press Interrupt."],
};

const orb = new Orb(element("orb"));
const dialogue = new Dialogue(element("dialogue"));
const bars = new TurnBars(element("turns"));
const doing = new Doing(element("doing"), (text) => {
  status(text);
  dialogue.note(text);
});

const key = new Key(() => {
  void renew();
  void key.loadVoices(page.voice);
}, WHILE_TALKING);
/** @type {Assistant | null} */
let assistant = null;
let isStarting = false;
let isLossTold = false;

// -- the assistant --------------------------------------------------------------------------------------------------

/** The one for what is chosen; made at a press of a button, so that the browser lets it sound. */
function openAssistant() {
  assistant ??= createAssistant();
  return assistant;
}

function createAssistant() {
  const chosen = /** @type {HTMLInputElement} */ (document.querySelector("input[name=transport]:checked"));
  const created = new Assistant({
    transport: chosen.value === "websocket" ? "websocket" : "webrtc",
    ...settings(),
    model: page.model.value || undefined,
    tools: doing.tools,
    token: key.value ? () => fetchClientSecret(location.origin, key.value, page.model.value ? { model: page.model.value } : undefined) : undefined,
  });
  created.on("state", ({ state, previous }) => {
    update();
    if (isLossTold && previous === "connecting" && state !== "idle") {
      isLossTold = false;
      hide("notice");
    }
    if (previous === "speaking") dialogue.rest();
  });
  created.on("transcript", (transcript) => dialogue.user(transcript));
  created.on("reply", (reply) => dialogue.reply(reply));
  created.on("word", (word) => dialogue.word(word));
  created.on("level", ({ who, level }) => orb.hear(who, level));
  created.on("metrics", showMetrics);
  created.on("error", ({ error }) => {
    isLossTold = error.code === "connection_lost" || error.code === "no_answer";
    key.failed(error);
  });
  created.on("microphone", ({ isOpen }) => {
    if (isOpen) hide("notice");
    update();
  });
  created.on("slept", () => notice("The page was asleep. Whatever was being said has been cut; just go on."));
  created.on("needs-gesture", () => notice("The browser holds the sound back. Press the circle."));
  return created;
}

function settings() {
  return { instructions: page.instructions.value.trim() || undefined, voice: page.voice.value || undefined };
}

async function start() {
  hide("notice");
  isStarting = true;
  update();
  try {
    await openAssistant().start();
    status("Listening.");
  } catch (error) {
    key.failed(error);
  } finally {
    isStarting = false;
    update();
  }
}

async function stop() {
  const running = assistant;
  await running?.stop();
  running?.mute(false);
  status("Ended.");
  update();
}

/** @param {string} text */
async function send(text) {
  hide("notice");
  try {
    await openAssistant().send(text);
  } catch (error) {
    key.failed(error);
  }
}

/** Something was chosen that needs another connection; what was said is begun anew. */
async function renew() {
  const before = assistant;
  assistant = null;
  const wasHearing = before?.hears ?? false;
  await before?.stop();
  update();
  if (wasHearing) await start();
}

// -- what is shown --------------------------------------------------------------------------------------------------

/** @returns {import("./orb.js").Who} */
function who() {
  if (isStarting || assistant?.state === "connecting") return "thinking";
  switch (assistant?.state) {
    case "speaking":
      return "assistant";
    case "thinking":
      return "thinking";
    case "listening":
      return assistant.isUserSpeaking ? "user" : assistant.hears ? "listening" : "nobody";
    default:
      return "nobody";
  }
}

function update() {
  const now = who();
  const hears = assistant?.hears ?? false;
  const isMuted = assistant?.isMuted ?? false;
  page.talk.dataset.who = now;
  orb.show(now);
  doing.duck(now === "assistant" || now === "user");
  const [line, hint] = SAID[now];
  const isOpening = isStarting || assistant?.state === "connecting";
  element("who").textContent = isOpening ? "Connecting…" : now === "listening" && isMuted ? "You are muted." : line;
  element("hint").textContent = now === "assistant" && !hears ? "Press Interrupt for silence." : hint;
  element("talk-label").textContent = hears ? "Stop talking" : "Start talking";
  page.talk.setAttribute("aria-pressed", String(hears));
  page.mute.hidden = !hears;
  page.end.hidden = page.interrupt.hidden = (assistant?.state ?? "idle") === "idle";
  page.interrupt.setAttribute("aria-disabled", String(!mayInterrupt()));
  page.mute.setAttribute("aria-pressed", String(isMuted));
  page.mute.textContent = isMuted ? "Muted" : "Mute";
}

function mayInterrupt() {
  return assistant?.state === "speaking" || assistant?.state === "thinking";
}

/** @param {import("/client/conversation.js").TurnMetricsEvent} metrics */
function showMetrics(metrics) {
  bars.show(metrics);
  if (metrics.soundMs === null) return;
  element("answered").textContent = String(metrics.soundMs);
  element("answered-note").textContent = metrics.by === "speech" ? "from your last sound to its first" : "from Send to its first sound";
}

// -- what is pressed ------------------------------------------------------------------------------------------------

page.talk.addEventListener("click", () => {
  if (isStarting) return;
  void assistant?.resume();
  void (assistant?.hears ? stop() : start());
});
page.end.addEventListener("click", () => {
  page.talk.focus();
  void stop();
});
page.interrupt.addEventListener("click", () => {
  if (mayInterrupt()) assistant?.interrupt();
});
page.mute.addEventListener("click", () => {
  assistant?.mute(!assistant.isMuted);
  status(assistant?.isMuted ? "Muted." : "Listening.");
  update();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") assistant?.interrupt();
});

element("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = page.text.value.trim();
  if (!text) return;
  page.text.value = "";
  void send(text);
});

element("samples").addEventListener("click", ({ target }) => {
  if (target instanceof HTMLButtonElement) void send(target.textContent ?? "");
});

for (const field of [page.instructions, page.voice]) field.addEventListener("change", () => assistant?.configure(settings()));
page.model.addEventListener("change", () => void renew());
for (const radio of document.querySelectorAll("input[name=transport]")) radio.addEventListener("change", () => void renew());

addEventListener("resize", () => orb.renew());
addEventListener("pagehide", () => void assistant?.stop());

themeSwitch(element("theme"), () => orb.renew());
element("snippet").textContent = ASSISTANT_SNIPPET.replaceAll("ORIGIN", location.origin);
update();
void key.loadVoices(page.voice);
