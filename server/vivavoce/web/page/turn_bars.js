// What each turn took, as lines of four parts: from the end of the user's speech to the first sound of the answer.

const MOST_LINES = 6;
/** A line of this length fills the width; a longer one makes all shorter. */
const LEAST_WIDTH_MS = 1000;
const STAGES = /** @type {const} */ (["certain", "words", "thought", "sound"]);
const NAMES = { certain: "end of turn", words: "words", thought: "first thought", sound: "first sound" };

/** @typedef {import("/client/conversation.js").TurnMetricsEvent} Metrics */

/**
 * The parts of a turn in the order they ended; words may be understood before it is certain that there are no more.
 * @param {Metrics} metrics
 */
export function parts(metrics) {
  const ends = STAGES.flatMap((stage) => {
    const at = metrics[`${stage}Ms`];
    return at === null ? [] : [{ stage, at }];
  }).sort((a, b) => a.at - b.at);
  return ends.map(({ stage, at }, i) => ({ stage, ms: at - (ends[i - 1]?.at ?? 0), at }));
}

export class TurnBars {
  #list;
  /** @type {Map<number, Metrics>} */
  #turns = new Map();

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {Metrics} metrics */
  show(metrics) {
    this.#turns.set(metrics.turn, metrics);
    const turns = [...this.#turns.values()].slice(-MOST_LINES);
    const width = Math.max(LEAST_WIDTH_MS, ...turns.map((turn) => parts(turn).at(-1)?.at ?? 0));
    this.#list.replaceChildren(...turns.map((turn) => line(turn, width)));
  }
}

/** @param {Metrics} metrics @param {number} width */
function line(metrics, width) {
  const item = document.createElement("li");
  const bar = document.createElement("div");
  bar.className = "bar-line";
  bar.setAttribute("role", "img");
  const told = parts(metrics);
  bar.setAttribute("aria-label", told.map(({ stage, at }) => `${NAMES[stage]} after ${at} ms`).join(", "));
  bar.append(...told.map(({ stage, ms }) => segment(stage, ms / width)));
  const sum = document.createElement("span");
  sum.textContent = metrics.soundMs === null ? "…" : `${metrics.soundMs} ms`;
  item.append(bar, sum);
  return item;
}

/** @param {string} stage @param {number} share */
function segment(stage, share) {
  const element = document.createElement("i");
  element.dataset.stage = stage;
  element.style.width = `${(share * 100).toFixed(2)}%`;
  element.title = NAMES[/** @type {keyof typeof NAMES} */ (stage)];
  return element;
}
