// How long to wait before the next try: doubling, bounded, and scattered so that a thousand clients do not return at once.

/** @typedef {{firstMs: number, factor: number, maxMs: number, scatter: number}} BackoffOptions */

/** @type {Readonly<BackoffOptions>} */
export const BACKOFF_DEFAULTS = Object.freeze({ firstMs: 250, factor: 2, maxMs: 8000, scatter: 0.3 });

/**
 * @param {number} attempt 0 for the first try again
 * @param {number} chance 0..1, drawn by the caller
 * @param {Partial<BackoffOptions>} [options]
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, chance, options = {}) {
  const { firstMs, factor, maxMs, scatter } = { ...BACKOFF_DEFAULTS, ...options };
  const wait = Math.min(maxMs, firstMs * factor ** Math.min(attempt, 32));
  return wait * (1 - scatter * chance);
}
