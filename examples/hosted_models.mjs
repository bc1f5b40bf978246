// Models on other machines, through a Viva Voce server: a text becomes sound, a picture becomes words.
//
// For browsers and Node alike, without a package. `hosted_models.html` is a page of it, `text_to_audio.mjs` and
// `image_to_text.mjs` are commands. Without a model's name the server answers itself, offline.

const ROUTER = "https://router.huggingface.co/hf-inference/models/";

/**
 * A text becomes sound. Returns a fetch Response whose body is Ogg while it is being made.
 *
 * server: "http://127.0.0.1:7860"; key: of that server, if it has any.
 * model: "facebook/musicgen-small", for which `token` pays; none: the server's own voice.
 */
export async function textToAudio(text, { server, key, model, token } = {}) {
  const form = described(model ? { api_url: ROUTER + model, api_token: token } : { api_url: "local:default" });
  form.set("input_text", new Blob([text], { type: "text/plain" }), "text.txt");
  return post(`${server}/v1/hosted/text-to-audio`, form, key);
}

/** A picture (a File, or a Blob with its type) becomes a list of texts; without a model the text in it is read. */
export async function imageToText(picture, { server, key, model, token } = {}) {
  const called = model ? { api_url: ROUTER + model, api_token: token } : { api_url: "local:ocr" };
  const form = described({ ...called, desired_output: "generated_text" });
  form.set("input_image", picture, "picture");
  const answer = await (await post(`${server}/v1/hosted/image-to-text`, form, key)).json();
  return [answer].flat().map((found) => found.generated_text ?? found);
}

function described(description) {
  const form = new FormData();
  form.set("json_description", new Blob([JSON.stringify(description)], { type: "application/json" }), "description.json");
  return form;
}

/** The answer; what the server or the model refuses is an Error with its sentence. */
async function post(url, body, key) {
  const response = await fetch(url, { method: "POST", body, headers: key ? { authorization: `Bearer ${key}` } : {} });
  if (response.ok) return response;
  throw new Error((await response.json()).error.message);
}
