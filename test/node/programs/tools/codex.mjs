/** Behaves as `codex exec --json -` is documented to (docs/exec.md of openai/codex). */
import { filler, json, play, readInput, refuse } from "./standIn.mjs"

const [command, ...flags] = process.argv.slice(2)
if (command !== "exec" || !flags.includes("--json")) refuse("stdin is not a terminal")
if (!flags.includes("--skip-git-repo-check")) {
  refuse("Not inside a trusted directory and --skip-git-repo-check was not specified.")
}
if (flags.at(-1) !== "-")
  refuse("No prompt provided. Either specify one as an argument or pipe the prompt into stdin.")

const started = [
  { type: "thread.started", thread_id: "0199a213-81c0-7800-8aa1-bbab2a035a53" },
  { type: "turn.started" }
]
const shell = {
  id: "item_1",
  type: "command_execution",
  command: "bash -lc ls",
  aggregated_output: "",
  status: "in_progress"
}
const failed = (message) =>
  json([...started, { type: "error", message }, { type: "turn.failed", error: { message } }])

await play(await readInput(), {
  lines: json([
    ...started,
    { type: "item.completed", item: { id: "item_0", type: "reasoning", text: "**Looking around**" } },
    { type: "item.started", item: shell },
    {
      type: "item.completed",
      item: { ...shell, aggregated_output: "answer.txt\n", exit_code: 0, status: "completed" }
    },
    { type: "error", message: "Reconnecting... 1/5" },
    {
      type: "item.completed",
      item: {
        id: "item_2",
        type: "file_change",
        changes: [{ path: "answer.txt", kind: "add" }],
        status: "completed"
      }
    },
    { type: "item.completed", item: { id: "item_3", type: "agent_message", text: "Voilà, c'est écrit." } },
    {
      type: "turn.completed",
      usage: { input_tokens: 24_763, cached_input_tokens: 24_448, output_tokens: 122 }
    }
  ]),
  noise: (bytes) =>
    JSON.stringify({
      type: "item.completed",
      item: { ...shell, aggregated_output: filler(bytes), status: "completed" }
    }),
  failures: {
    limit: {
      lines: failed(
        "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or try again in 2 days 17 hours 14 minutes."
      ),
      code: 1
    },
    auth: {
      lines: failed("unexpected status 401 Unauthorized: Missing bearer or basic authentication in header"),
      code: 1
    }
  }
})
