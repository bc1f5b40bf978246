// Fills in the page of `examples/hosted_models.html` as a user would, or tries a route on the Swagger page.
//
//   node hosted.mjs page URL '{"server", "key", "token", "picture", "audio", "text"}'
//   node hosted.mjs swagger URL '{"path"}'
//
// Prints one JSON object: what was heard, read and complained about.

import { launch } from "./chromium.mjs";

const [scenario, url, wishes] = process.argv.slice(2);
const wish = JSON.parse(wishes);
const browser = await launch();
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
const seen = { complaints: [] };
page.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
});
page.on("pageerror", (error) => seen.complaints.push(String(error)));

/** Seconds of a sound that is there and plays; the player's error where it does not. */
const heard = (player) =>
  player.evaluate(
    (audio) =>
      new Promise((resolve) => {
        const look = () => {
          if (audio.error) return resolve(`error ${audio.error.code}`);
          if (audio.readyState >= 2 && Number.isFinite(audio.duration)) return resolve(audio.duration);
          setTimeout(look, 20);
        };
        look();
      }),
  );

const scenarios = {
  async page() {
    for (const name of ["server", "key", "token"]) await page.fill(`#whose [name=${name}]`, wish[name]);
    await page.fill("#audio [name=text]", wish.text);
    await page.fill("#audio [name=model]", wish.audio);
    await page.click("#audio button");
    await page.waitForFunction(() => document.querySelector("audio").src || document.querySelector("#audio p").textContent);
    seen.refused = await page.textContent("#audio p");
    if (!seen.refused) seen.seconds = await heard(page.locator("audio"));
    await page.setInputFiles("#text [type=file]", wish.picture);
    await page.fill("#text [name=model]", wish.image);
    await page.click("#text button");
    await page.waitForFunction(() => document.querySelector("li") || document.querySelector("#text p").textContent);
    seen.words = await page.locator("li").allTextContents();
    seen.refusedPicture = await page.textContent("#text p");
  },
  async swagger() {
    const block = page.locator(`.opblock:has([data-path="${wish.path}"])`);
    await block.locator(".opblock-summary-control").click();
    await block.getByRole("button", { name: "Try it out" }).click();
    await block.getByRole("button", { name: "Execute" }).click();
    const live = block.locator(".live-responses-table");
    await live.waitFor();
    seen.status = (await live.locator(".response-col_status").nth(1).textContent()).trim();
    if (await live.locator("audio").count()) seen.seconds = await heard(live.locator("audio"));
    else seen.body = await live.locator(".response-col_description pre").first().textContent();
  },
};

try {
  await page.goto(url);
  await scenarios[scenario]();
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
