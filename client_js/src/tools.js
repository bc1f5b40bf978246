// The functions that an assistant may call. Used by assistant.js.

/** @typedef {import("./assistant_options.js").Tool} Tool */

/**
 * Does what a function call asks for.
 * @param {Tool[] | undefined} tools @param {import("./conversation.js").FunctionCallEvent} call
 * @returns {Promise<{output: unknown} | null>} what it gave, or why it failed; null: the program answers by itself
 */
export async function runTool(tools, { name, arguments: args }) {
  const tool = tools?.find((each) => each.name === name);
  if (!tool?.run) return null;
  try {
    return { output: (await tool.run(args)) ?? "done" };
  } catch (error) {
    return { output: { error: error instanceof Error ? error.message : String(error) } };
  }
}
