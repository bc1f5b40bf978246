// Events as plain objects with a `type`, for code that also runs where there is no DOM.

/**
 * @template {{type: string}} Event
 */
export class Emitter {
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();

  /**
   * Calls `listener` for every event of that type.
   * @template {Event["type"]} Type
   * @param {Type} type
   * @param {(event: Extract<Event, {type: Type}>) => void} listener
   * @returns {() => void} removes it again
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => this.off(type, listener);
  }

  /**
   * @template {Event["type"]} Type
   * @param {Type} type
   * @param {(event: Extract<Event, {type: Type}>) => void} listener
   */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /**
   * A listener that throws stops neither the others nor the caller; its error is reported as uncaught.
   * @param {Event} event
   */
  emit(event) {
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
