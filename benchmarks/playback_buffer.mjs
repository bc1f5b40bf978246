// What the playback buffer hides of a slow engine and a jittery network, and what it cannot.
//
//   node benchmarks/playback_buffer.mjs [--runs 40]
//
// Simulated time, seeded chance: the same numbers on every machine. An engine computes "speech" (phrases of 0.8 to 2.4 s
// with pauses of 120 to 500 ms between them) in chunks of 200 ms at a given speed; each chunk takes a network delay drawn
// from a log-normal, in order, as TCP delivers. The buffer plays it in blocks of 3 ms. A fixed buffer of 70 ms
// that never adapts, and does not know of pauses, is the comparison. A table, then one JSON line.

import { PlaybackBuffer } from "../client_js/src/sound/playback_buffer.js";

/** Low, and the card's as well: the rate does not change when a buffer runs dry, only how long this takes to compute. */
const RATE = 8000;
const CARD = 8000;
const BLOCK = 24;
const CHUNK_S = 0.2;
const UTTERANCE_S = 12;

const ENGINES = [
  { name: "4x real time", speed: 4 },
  { name: "1.2x real time", speed: 1.2 },
  { name: "0.9x real time", speed: 0.9 },
];
const NETWORKS = [
  { name: "still", medianMs: 20, spread: 0 },
  { name: "jittery", medianMs: 40, spread: 0.8 },
  { name: "rough", medianMs: 80, spread: 1.2 },
];
const BUFFERS = [
  { name: "adaptive", options: {} },
  { name: "fixed 70 ms", options: { stepMs: 0, refillBelow: 0 } },
];

/** A small seeded generator (mulberry32), 0..1. @param {number} seed */
function chanceFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal, by Box and Muller. @param {() => number} chance */
const normal = (chance) => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());

/** Tones with pauses where speech has them. @param {() => number} chance */
function speechLike(chance) {
  const samples = new Int16Array(UTTERANCE_S * RATE);
  for (let at = 0; at < samples.length; ) {
    const phrase = Math.round((0.8 + 1.6 * chance()) * RATE);
    const pause = Math.round((0.12 + 0.38 * chance()) * RATE);
    for (let i = at; i < Math.min(at + phrase, samples.length); i += 1) samples[i] = 9000 * Math.sin(i / 3);
    at += phrase + pause;
  }
  return samples;
}

/** When each chunk reaches the listener, in seconds. @param {number} count @param {number} speed @param {{medianMs: number, spread: number}} network @param {() => number} chance */
function arrivals(count, speed, { medianMs, spread }, chance) {
  let last = 0;
  return Array.from({ length: count }, (_, i) => {
    const computed = (CHUNK_S / speed) * (i + 1);
    const delay = (medianMs / 1000) * Math.exp(spread * normal(chance));
    last = Math.max(last, computed + delay);
    return last;
  });
}

/** Plays one utterance. @param {number} seed @param {typeof ENGINES[number]} engine @param {typeof NETWORKS[number]} network @param {object} options */
function play(seed, engine, network, options) {
  const chance = chanceFrom(seed);
  const samples = speechLike(chance);
  const size = CHUNK_S * RATE;
  const times = arrivals(samples.length / size, engine.speed, network, chance);
  const buffer = new PlaybackBuffer(CARD, options);
  const output = new Float32Array(BLOCK);
  let next = 0;
  let firstAudioMs = 0;
  for (let block = 0; ; block += 1) {
    const now = (block * BLOCK) / CARD;
    for (; next < times.length && times[next] <= now; next += 1) buffer.push(0, samples.slice(next * size, (next + 1) * size), RATE);
    if (next === times.length) buffer.end(0);
    buffer.pull(output);
    for (const { type } of buffer.takeEvents()) {
      if (type === "started") firstAudioMs = now * 1000;
      if (type === "drained") return { ...buffer.report(), firstAudioMs };
    }
  }
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const at = process.argv.indexOf("--runs");
const runs = at === -1 ? 40 : Number(process.argv[at + 1]);
const rows = [];
for (const engine of ENGINES) {
  for (const network of NETWORKS) {
    for (const { name, options } of BUFFERS) {
      const reports = Array.from({ length: runs }, (_, seed) => play(seed + 1, engine, network, options));
      const of = (/** @type {"underruns" | "underrunMs" | "pauses" | "pauseMs" | "firstAudioMs"} */ field) => Number(mean(reports.map((report) => report[field])).toFixed(1));
      const clean = reports.filter(({ underruns }) => underruns === 0).length / runs;
      rows.push({
        ...{ engine: engine.name, network: network.name, buffer: name, firstAudioMs: of("firstAudioMs"), cleanShare: Number(clean.toFixed(2)) },
        ...{ underruns: of("underruns"), underrunMs: of("underrunMs"), hidden: of("pauses"), hiddenMs: of("pauseMs") },
      });
    }
  }
}

console.log(`Utterances of ${UTTERANCE_S} s, ${runs} for each row; means per utterance.\n`);
console.log("| engine | network | buffer | first audio ms | without underrun | underruns | silence heard ms | hidden in pauses | hidden ms |");
console.log("|---|---|---|---|---|---|---|---|---|");
for (const row of rows) console.log(`| ${Object.values({ ...row, cleanShare: `${Math.round(row.cleanShare * 100)} %` }).join(" | ")} |`);
console.log(`\n${JSON.stringify({ benchmark: "playback_buffer", utteranceS: UTTERANCE_S, runs, rows })}`);
