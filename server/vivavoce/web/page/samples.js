// Texts to begin with, and the lines of code that make a page speak.

/** @type {Record<string, string>} */
export const SAMPLES = {
  greeting:
    "Hello. You are hearing this sentence while I am still working on the next one. Keep writing below it, as slowly as you like: I will wait for you, and go on when there is more to say.",
  story:
    "The lighthouse keeper wrote one letter every winter, and never posted it. This year, the sea came up the stairs to fetch it. It was very polite; it knocked first, and it left the lamp burning when it went.",
  figures:
    "The train leaves at 7:45, platform 3. A ticket costs $18.50, or $31 for two; children under 6 travel free. In 2024 it carried 1,250,000 passengers, 12% more than the year before.",
  clear: "",
};

export const SNIPPET = `<script type="module">
  import { VoiceClient } from "ORIGIN/client/index.js";

  const voice = new VoiceClient({ url: "ORIGIN" });
  voice.on("word", ({ text }) => console.log(text));
  button.onclick = async () => {
    for await (const delta of chatModel(question)) voice.write(delta);
    voice.end();
  };
</script>`;

export const ASSISTANT_SNIPPET = `<script type="module">
  import { Assistant } from "ORIGIN/client/index.js";

  const assistant = new Assistant({
    url: "ORIGIN",
    voice: "heart",
  });
  assistant.on("reply", ({ text }) => console.log(text));
  button.onclick = () => assistant.start();
</script>`;
