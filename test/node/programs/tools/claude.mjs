/** Behaves as `claude -p --output-format stream-json --verbose` is documented to (code.claude.com/docs/en/headless). */
import { filler, json, option, play, readInput, refuse } from "./standIn.mjs"

if (!process.argv.includes("-p")) refuse("no terminal to talk in")
if (option("--output-format") === "stream-json" && !process.argv.includes("--verbose")) {
  refuse("Error: When using --print, --output-format=stream-json requires --verbose")
}

const model = option("--model") ?? "claude-sonnet-4-5"
const usage = (input, output, cached, written) => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: cached,
  cache_creation_input_tokens: written,
  service_tier: "standard"
})
const session_id = "2b1e0a54-5b8e-4d11-9c2f-3b6f5b2a9d10"
const init = {
  type: "system",
  subtype: "init",
  session_id,
  model,
  cwd: process.cwd(),
  tools: ["Write", "Bash"]
}
const assistant = (id, content, used) => ({
  type: "assistant",
  message: { id, type: "message", role: "assistant", model, content, stop_reason: null, usage: used },
  parent_tool_use_id: null,
  session_id
})
const first = usage(4, 20, 1000, 500)
const ended = (fields) => ({
  type: "result",
  subtype: "success",
  is_error: false,
  duration_ms: 5000,
  num_turns: 2,
  session_id,
  total_cost_usd: 0.0123,
  usage: usage(10, 60, 2500, 500),
  ...fields
})
const limited = (status, resetsAt) => ({
  type: "rate_limit_event",
  rate_limit_info: { status, resetsAt, rateLimitType: "five_hour" },
  session_id
})
const inTwoHours = Math.floor(Date.now() / 1000) + 7200

await play(await readInput(), {
  lines: json([
    init,
    limited("allowed", inTwoHours),
    assistant("msg_1", [{ type: "text", text: "I will write it." }], first),
    assistant(
      "msg_1",
      [{ type: "tool_use", id: "toolu_1", name: "Write", input: { file_path: "answer.txt" } }],
      first
    ),
    {
      type: "user",
      message: { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "ok" }] }
    },
    assistant("msg_2", [{ type: "text", text: "Voilà, c'est écrit." }], usage(6, 40, 1500, 0)),
    ended({ result: "Voilà, c'est écrit." })
  ]),
  noise: (bytes) =>
    JSON.stringify({
      type: "user",
      message: { role: "user", content: [{ type: "tool_result", content: filler(bytes) }] }
    }),
  failures: {
    limit: {
      lines: json([
        init,
        limited("rejected", inTwoHours),
        ended({ is_error: true, result: "You've hit your limit · resets 3pm (UTC)", total_cost_usd: 0 })
      ]),
      code: 1
    },
    auth: {
      lines: json([init, ended({ is_error: true, result: "Invalid API key · Please run /login" })]),
      code: 1
    },
    turns: { lines: json([init, ended({ subtype: "error_max_turns", is_error: true })]), code: 1 }
  }
})
