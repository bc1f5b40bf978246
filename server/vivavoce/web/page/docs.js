// The documentation page: Swagger UI over /openapi.json. Its files come from a package, nothing from elsewhere.

const { SwaggerUIBundle } = /** @type {{SwaggerUIBundle: (options: object) => void}} */ (/** @type {unknown} */ (window));

/** @type {WeakMap<Blob, string>} an address for each sound that has come */
const sounds = new WeakMap();

/** @param {Blob} sound @param {string} type */
function addressOf(sound, type) {
  const known = sounds.get(sound);
  if (known) return known;
  const made = URL.createObjectURL(new Blob([sound], { type }));
  sounds.set(sound, made);
  return made;
}

/**
 * Swagger UI plays sound by asking for its address again, without what was sent: a route that takes a body has no such
 * answer. So it is given the address of the sound that has come.
 *
 * @typedef {{content: unknown, contentType?: string, url: string}} Answer
 * @param {unknown} Original
 * @param {{React: {createElement: (component: unknown, properties: Answer) => unknown}}} system
 */
const playsItsAnswer = (Original, { React }) => (/** @type {Answer} */ answer) => {
  const { content, contentType = "" } = answer;
  const isSound = content instanceof Blob && contentType.startsWith("audio/");
  return React.createElement(Original, isSound ? { ...answer, url: addressOf(content, contentType) } : answer);
};

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  plugins: [{ wrapComponents: { responseBody: playsItsAnswer } }],
});
