import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { PageLife } from "../src/page_life.js";
import { keepRunning } from "../src/sound/keep_running.js";
import { FakePage } from "./support/devices.js";

/** @type {FakePage} */
let page;
/** @type {PageLife} */
let life;
/** @type {string[]} */
let told;
let [wall, clock, isBusy] = [0, 0, false];

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setInterval"] });
  [page, told, wall, clock, isBusy] = [new FakePage(), [], 1_000_000, 500, false];
  life = new PageLife(
    {
      isBusy: () => isBusy,
      onFreeze: () => told.push("freeze"),
      onSlept: (ms, at) => told.push(`slept ${ms} since ${at}`),
      onSeen: () => told.push("seen"),
    },
    { page, wall: () => wall, clock: () => clock },
  );
  life.start();
});

/** Time passes, and nothing runs. @param {number} ms */
const passes = (ms) => {
  wall += ms;
};

test("a page that runs has not slept", () => {
  for (let second = 0; second < 60; second += 1) {
    passes(1000);
    mock.timers.tick(1000);
  }
  assert.deepEqual(told, []);
});

test("a machine's sleep is noticed by whatever runs first, once, with the time it began", () => {
  passes(3000);
  clock = 800;
  assert.equal(life.alive(), false);
  passes(60_000);
  clock = 900;
  assert.equal(life.alive(), true);
  assert.equal(life.alive(), false);
  assert.deepEqual(told, ["slept 60000 since 800"]);
});

test("timers of a page that nobody sees may be a minute late", () => {
  page.becomes("hidden");
  passes(60_000);
  assert.equal(life.alive(), false);
  isBusy = true;
  life.alive();
  passes(60_000);
  assert.equal(life.alive(), true, "a busy one does something all the time");
});

test("a page that is frozen has a last word, and has slept however short it was", () => {
  page.becomes("hidden");
  page.dispatchEvent(new Event("freeze"));
  passes(200);
  page.dispatchEvent(new Event("resume"));
  assert.deepEqual(told, ["freeze", "slept 200 since 500"]);
});

test("it is told when the page is seen again, after its sleep", () => {
  page.becomes("hidden");
  passes(100_000);
  page.becomes("visible");
  assert.deepEqual(told, ["slept 100000 since 500", "seen"]);
});

test("stopped, it watches nothing; started again, it begins anew", () => {
  life.stop();
  passes(60_000);
  page.dispatchEvent(new Event("freeze"));
  assert.equal(life.alive(), false);
  life.start();
  assert.equal(life.alive(), false);
  assert.deepEqual(told, []);
});

test("a context that has stopped is asked to run, when it stops and when the page is seen", () => {
  const context = Object.assign(new EventTarget(), { state: "running", asked: 0, resume: () => ((context.asked += 1), Promise.reject(new Error("a call"))) });
  const letSleep = keepRunning(/** @type {any} */ (context), page);
  context.dispatchEvent(new Event("statechange"));
  assert.equal(context.asked, 0);
  context.state = "interrupted";
  context.dispatchEvent(new Event("statechange"));
  page.becomes("visible");
  assert.equal(context.asked, 2);
  context.state = "closed";
  page.becomes("visible");
  letSleep();
  context.state = "suspended";
  page.becomes("visible");
  assert.equal(context.asked, 2);
});
