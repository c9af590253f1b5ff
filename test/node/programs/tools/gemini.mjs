/** Behaves as `gemini --output-format stream-json` is documented to (geminicli.com/docs/cli/headless). */
import { filler, json, option, play, readInput, refuse } from "./standIn.mjs"

if (option("--output-format") !== "stream-json") refuse("Please use --output-format", 42)

const prompt = await readInput()
if (prompt.trim() === "")
  refuse(
    "No input provided via stdin. Input can be provided by piping data into gemini or using the --prompt option.",
    42
  )

const timestamp = "2025-11-21T18:00:00.000Z"
const model = option("--model") ?? "gemini-2.5-pro"
const said = (content) => ({ type: "message", timestamp, role: "assistant", content, delta: true })
const stats = {
  total_tokens: 1550,
  input_tokens: 1500,
  output_tokens: 50,
  cached: 1000,
  input: 500,
  duration_ms: 4000,
  tool_calls: 1
}
const begin = [
  { type: "init", timestamp, session_id: "5b8e", model },
  { type: "message", timestamp, role: "user", content: prompt }
]
const failed = (error) => json([...begin, { type: "result", timestamp, status: "error", error, stats }])

process.stderr.write("Loaded cached credentials.\n")
await play(prompt, {
  lines: json([
    ...begin,
    {
      type: "tool_use",
      timestamp,
      tool_name: "write_file",
      tool_id: "write_file-1",
      parameters: { file_path: "answer.txt" }
    },
    { type: "tool_result", timestamp, tool_id: "write_file-1", status: "success", output: "" },
    said("Voilà, "),
    { type: "error", timestamp, severity: "warning", message: "Loop detected, stopping execution" },
    said("c'est écrit."),
    { type: "result", timestamp, status: "success", stats }
  ]),
  noise: (bytes) =>
    JSON.stringify({
      type: "tool_result",
      timestamp,
      tool_id: "1",
      status: "success",
      output: filler(bytes)
    }),
  failures: {
    limit: {
      lines: failed({
        type: "TerminalQuotaError",
        message: "You have exhausted your capacity on this model. Your quota will reset after 3h14m5s."
      }),
      stderr: "Attempt 1 failed: You have exhausted your capacity on this model.",
      code: 1
    },
    auth: {
      stderr:
        "Please set an Auth method in your /home/x/.gemini/settings.json or specify one of the following environment variables before running: GEMINI_API_KEY, GOOGLE_GENAI_USE_VERTEXAI, GOOGLE_GENAI_USE_GCA",
      code: 41
    }
  }
})
