/** Behaves as `opencode run --format json` does (packages/opencode/src/cli/cmd/run.ts, opencode.ai/docs/cli). */
import { filler, json, option, play, readInput, refuse } from "./standIn.mjs"

if (process.argv[2] !== "run" || option("--format") !== "json") refuse("no terminal to talk in")

const sessionID = "ses_494719016ffe85dkDMj0FPRbHK"
const event = (type, fields) => ({ type, timestamp: 1_767_036_059_338, sessionID, ...fields })
const part = (type, fields) => ({
  id: `prt_${fields.id ?? type}`,
  sessionID,
  messageID: "msg_1",
  type,
  ...fields
})
const finish = (id, reason, tokens, cost) =>
  event("step_finish", { part: part("step-finish", { id, reason, tokens, cost }) })
const failed = (error) => json([event("error", { error })])

await play(await readInput(), {
  lines: json([
    event("step_start", { part: part("step-start", {}) }),
    event("text", { part: part("text", { text: "I will write it.", time: { start: 1, end: 2 } }) }),
    event("tool_use", {
      part: part("tool", {
        callID: "call_1",
        tool: "write",
        state: { status: "completed", input: {}, output: "" }
      })
    }),
    finish(
      "one",
      "tool-calls",
      { input: 100, output: 20, reasoning: 5, cache: { read: 1000, write: 200 } },
      0.01
    ),
    event("step_start", { part: part("step-start", {}) }),
    event("text", { part: part("text", { text: "Voilà, c'est écrit.", time: { start: 3, end: 4 } }) }),
    finish("two", "stop", { input: 50, output: 10, reasoning: 0, cache: { read: 1300, write: 0 } }, 0.005)
  ]),
  noise: (bytes) =>
    JSON.stringify(
      event("tool_use", {
        part: part("tool", { tool: "bash", state: { status: "completed", output: filler(bytes) } })
      })
    ),
  failures: {
    limit: {
      lines: failed({
        name: "APIError",
        data: {
          message: "Too Many Requests",
          statusCode: 429,
          isRetryable: true,
          responseHeaders: { "retry-after": "120" }
        }
      }),
      code: 1
    },
    auth: {
      lines: failed({
        name: "ProviderAuthError",
        data: { providerID: "anthropic", message: "no credentials" }
      }),
      code: 1
    }
  }
})
