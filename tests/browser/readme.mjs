// Opens a page that holds the README's lines, presses its button, and writes down what came over the wire.
//
//   node readme.mjs URL
//
// Prints one JSON object: bytes of sound received, whether the utterance ended well, and the page's complaints.

import { launch } from "./chromium.mjs";

const browser = await launch();
try {
  const page = await browser.newPage();
  const seen = { bytes: 0, status: "", complaints: [] };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  const spoken = new Promise((resolve) => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (typeof payload !== "string") seen.bytes += payload.length;
        else if (JSON.parse(payload).type === "session.done") resolve(JSON.parse(payload).status);
      });
    });
  });
  await page.goto(process.argv[2]);
  await page.click("#speak");
  let timer;
  const timeOut = new Promise((resolve) => (timer = setTimeout(resolve, 30_000, "never ended")));
  seen.status = await Promise.race([spoken, timeOut]);
  clearTimeout(timer); // or the process would wait for it
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
