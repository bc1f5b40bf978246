// The voices of this server, as a list to choose from.

import { VoiceError } from "/client/errors.js";

/** @typedef {{id: string, name: string, languages: string[], available: boolean, problem: string | null, references: string[], default?: boolean}} Voice */

/** @param {string} key @returns {Promise<Voice[]>} */
export async function fetchVoices(key) {
  const response = await fetch("/v1/audio/voices", { headers: key ? { authorization: `Bearer ${key}` } : {} });
  if (!response.ok) throw await VoiceError.fromResponse(response);
  return (await response.json()).voices;
}

/** @param {HTMLSelectElement} select @param {Voice[]} voices */
export function fillVoices(select, voices) {
  const before = select.value;
  select.replaceChildren(...voices.flatMap((voice) => [option(voice.id, label(voice), voice), ...styles(voice)]));
  const chosen = voices.find(({ id }) => id === before) ?? voices.find((voice) => voice.default) ?? voices.find(({ available }) => available);
  if (chosen) select.value = chosen.id;
}

/** @param {Voice} voice */
function label({ name, available }) {
  return available ? name : `${name} (not now)`;
}

/** @param {Voice} voice */
function styles(voice) {
  return voice.references.map((style) => option(`${voice.id}/${style}`, `${voice.name}, ${style.toLowerCase()}`, voice));
}

/** @param {string} value @param {string} text @param {Voice} voice */
function option(value, text, { available, problem }) {
  const element = new Option(text, value);
  element.disabled = !available;
  element.title = problem ?? "";
  return element;
}
