// Bytes of signed 16-bit little-endian sound, cut anywhere, to samples.

export class PcmDecoder {
  /** @type {number | null} the first byte of a sample that was cut in two */
  #half = null;

  /**
   * @param {Uint8Array} bytes any number, from any place in the stream
   * @returns {Int16Array} the samples that are complete; its memory is its own
   */
  feed(bytes) {
    const carried = this.#half === null ? 0 : 1;
    const total = bytes.length + carried;
    const whole = new Uint8Array(total - (total % 2));
    if (this.#half !== null && whole.length > 0) whole[0] = this.#half;
    whole.set(bytes.subarray(0, Math.max(0, whole.length - carried)), carried === 1 && whole.length > 0 ? 1 : 0);
    if (total % 2 === 0) this.#half = null;
    else if (bytes.length > 0) this.#half = bytes[bytes.length - 1];
    return new Int16Array(whole.buffer); // every machine with a browser is little-endian
  }
}

/** @param {string} base64 */
export function fromBase64(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** @param {Int16Array} samples @returns {string} their bytes in base64 */
export function toBase64(samples) {
  return btoa(String.fromCharCode(...new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)));
}
