// An AudioContext that is woken whenever the browser has let it fall asleep: behind another tab, during a phone call.

/**
 * Asks for it to run again whenever it has stopped, and when the page is seen again. What a browser refuses, for want
 * of a gesture or while a call is being made, is asked for anew at the next change.
 * @param {Pick<AudioContext, "state" | "resume" | "addEventListener" | "removeEventListener">} context
 * @param {Pick<Document, "addEventListener" | "removeEventListener"> | undefined} [page] whose visibility counts
 * @returns {() => void} leaves it alone
 */
export function keepRunning(context, page = globalThis.document) {
  const wake = () => {
    if (context.state !== "running" && context.state !== "closed") void context.resume().catch(() => {});
  };
  context.addEventListener("statechange", wake);
  page?.addEventListener("visibilitychange", wake);
  return () => {
    context.removeEventListener("statechange", wake);
    page?.removeEventListener("visibilitychange", wake);
  };
}
