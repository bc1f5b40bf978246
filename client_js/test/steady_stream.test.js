import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { SteadyStream } from "../src/sound/steady_stream.js";
import { FakeDevices } from "./support/devices.js";

/** @type {FakeDevices} */
let devices;
/** @type {SteadyStream} */
let microphone;
/** @type {string[]} */
let told;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [devices, told] = [new FakeDevices(), []];
  microphone = new SteadyStream(
    {
      onStream: (stream) => told.push(`stream ${devices.tracks.indexOf(/** @type {any} */ (stream.getAudioTracks()[0]))}`),
      onLost: ({ code }) => told.push(code),
    },
    {},
    devices,
  );
});

const soon = () => new Promise((resolve) => setImmediate(resolve));
const live = () => devices.tracks.filter(({ readyState }) => readyState === "live").length;

test("a device that goes is replaced by the next one", async () => {
  await microphone.open();
  devices.tracks[0].end();
  await soon();
  assert.deepEqual(told, ["stream 0", "stream 1"]);
  assert.equal(live(), 1);
});

test("a mute outlives the device", async () => {
  await microphone.open();
  microphone.mute(true);
  devices.tracks[0].end();
  await soon();
  assert.equal(devices.tracks[1].enabled, false);
});

test("another usual device is listened to, and the one before is freed", async () => {
  await microphone.open();
  devices.change();
  await soon();
  assert.equal(devices.tracks.length, 1, "the usual one is still the same");
  devices.groupId = "headset";
  devices.change();
  await soon();
  assert.deepEqual(told, ["stream 0", "stream 1"]);
  assert.deepEqual(devices.tracks.map(({ readyState }) => readyState), ["ended", "live"]);
});

test("where the new one cannot be opened, the old one goes on", async () => {
  await microphone.open();
  [devices.groupId, devices.refusal] = ["headset", "NotReadableError"];
  devices.change();
  await soon();
  assert.deepEqual(told, ["stream 0"]);
  assert.equal(live(), 1);
});

test("where there is none, that is told once, and the next one is taken when it comes", async () => {
  await microphone.open();
  devices.refusal = "NotFoundError";
  devices.tracks[0].end();
  await soon();
  devices.change();
  await soon();
  assert.deepEqual(told, ["stream 0", "microphone_missing"]);
  devices.refusal = null;
  devices.change();
  await soon();
  assert.deepEqual(told, ["stream 0", "microphone_missing", "stream 1"]);
  devices.refusal = "NotFoundError";
  devices.tracks[1].end();
  await soon();
  assert.equal(told.at(-1), "microphone_missing", "the next loss is told again");
});

test("a device that is only busy for a moment is asked for again, but not for ever", async () => {
  await microphone.open();
  devices.refusal = "NotReadableError";
  devices.tracks[0].end();
  await soon();
  for (const waitMs of [500, 1000, 2000, 60_000]) {
    mock.timers.tick(waitMs);
    await soon();
  }
  assert.equal(devices.asked, 5);
  devices.refusal = null;
  microphone.check();
  await soon();
  assert.equal(live(), 1);
});

test("a microphone that is not allowed any more is not asked for again and again", async () => {
  await microphone.open();
  devices.refusal = "NotAllowedError";
  devices.tracks[0].end();
  await soon();
  mock.timers.tick(60_000);
  await soon();
  assert.deepEqual([told.at(-1), devices.asked], ["microphone_denied", 2]);
});

test("the first refusal is its caller's to handle", async () => {
  devices.refusal = "NotFoundError";
  await assert.rejects(microphone.open(), { code: "microphone_missing" });
  assert.deepEqual([told, devices.listeners], [[], 0]);
});

test("closed, it leaves nothing, even while it is being opened", async () => {
  const opening = microphone.open();
  microphone.close();
  await opening;
  assert.deepEqual([told, live()], [[], 0]);
  devices.change();
  await soon();
  assert.equal(devices.asked, 1);
});
