// The one kind of error this library throws or reports.

/** Something went wrong that a program can act on (`code`) and a person can read (`message`). */
export class VoiceError extends Error {
  /**
   * @param {string} code as on the wire (`voice_not_found`, `server_overloaded`...), or one of the library's own:
   *   `connection_failed`, `connection_lost`, `no_answer`, `closed`, `audio_unavailable`
   * @param {string} message a sentence
   * @param {{param?: string | null, status?: number, cause?: unknown}} [details]
   */
  constructor(code, message, { param = null, status, cause } = {}) {
    super(message, { cause });
    this.name = "VoiceError";
    this.code = code;
    /** Field of the message or request at fault, if any. */
    this.param = param;
    /** HTTP status, where there was one. */
    this.status = status;
  }

  /**
   * The error a server wrote into the body of a refused request.
   * @param {Response} response
   */
  static async fromResponse(response) {
    const body = await response.json().catch(() => null);
    const error = body?.error ?? {};
    const message = error.message ?? `the server answered ${response.status}`;
    return new VoiceError(error.code ?? `http_${response.status}`, message, { param: error.param, status: response.status });
  }
}
