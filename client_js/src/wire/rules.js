// What a field of a message may hold: small checks that read a JSON value and say in words what they expected.
//
// The same rules as the server's, so that both sides accept and refuse the same messages; the fixtures they share prove
// it. Knows nothing of messages: messages.js writes these rules beside its fields.

/**
 * @typedef {(value: unknown) => unknown} Rule returns the value as the message keeps it, or throws Refused
 * @typedef {{rule: Rule, required: boolean, fallback?: unknown}} Field
 * @typedef {Record<string, Field>} Shape
 */

/** A value that a rule does not accept, or (with nothing expected) a field that is not there. */
export class Refused extends Error {
  /** @param {string} expected @param {string} [where] the field, dotted where it is inside another */
  constructor(expected, where = "") {
    super(expected);
    this.expected = expected;
    this.where = where;
  }
}

/** @param {Rule} rule @returns {Field} */
export const required = (rule) => ({ rule, required: true });

/** @param {Rule} rule @param {unknown} [fallback] what the message holds where the field is absent @returns {Field} */
export const optional = (rule, fallback) => ({ rule, required: false, fallback });

/** A string of at most so many code points. @param {number} [longest] @returns {Rule} */
export const text = (longest = 1_000_000) => (value) => {
  if (typeof value === "string" && (value.length <= longest || [...value].length <= longest)) return value;
  throw new Refused(`a string of at most ${longest} characters`);
};

/** @param {number} low @param {number} high @returns {Rule} */
export const whole = (low, high) => (value) => {
  if (Number.isInteger(value) && Number(value) >= low && Number(value) <= high) return value;
  throw new Refused(`a whole number from ${low} to ${high}`);
};

/** What every JSON reader counts to without loss. */
export const index = whole(0, Number.MAX_SAFE_INTEGER);

/** @param {number} low @param {number} high @returns {Rule} */
export const number = (low, high) => (value) => {
  if (typeof value === "number" && value >= low && value <= high) return value;
  throw new Refused(`a number from ${low} to ${high}`);
};

/** @type {Rule} */
export const flag = (value) => {
  if (typeof value === "boolean") return value;
  throw new Refused("true or false");
};

/** @param {...string} words @returns {Rule} */
export const oneOf = (...words) => (value) => {
  if (typeof value === "string" && words.includes(value)) return value;
  throw new Refused(`one of ${words.join(", ")}`);
};

/** @param {Rule} item @returns {Rule} */
export const many = (item) => (value) => {
  if (Array.isArray(value)) return value.map(item);
  throw new Refused("an array");
};

/** An object inside a message. @param {Shape} fields @returns {Rule} */
export const object = (fields) => (value) => {
  if (isObject(value)) return read(fields, value);
  throw new Refused("an object");
};

/**
 * The fields of a shape out of a JSON object: unknown ones are ignored, null counts as absent.
 * @param {Shape} fields
 * @param {Record<string, unknown>} values
 */
export function read(fields, values) {
  /** @type {Record<string, unknown>} */
  const message = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = values[name];
    if (value !== undefined && value !== null) message[name] = apply(field.rule, value, name);
    else if (field.required) throw new Refused("", name);
    else if (field.fallback !== undefined) message[name] = field.fallback;
  }
  return message;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {Rule} rule @param {unknown} value @param {string} name */
function apply(rule, value, name) {
  try {
    return rule(value);
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    throw new Refused(refused.expected, refused.where ? `${name}.${refused.where}` : name);
  }
}
