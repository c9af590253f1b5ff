/** An agent that does what the prompt says, one word per line, over the Agent Client Protocol. */
import { spawn } from "node:child_process"
import { Readable, Writable } from "node:stream"
import { agent, ndJsonStream, RequestError } from "@agentclientprotocol/sdk"

if (process.env.SILENT === "1") setInterval(() => undefined, 1000)
else serve()

function serve() {
  let cancelled = () => undefined
  let cwd = ""
  const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

  const acts = {
    say: ({ update }, text) =>
      update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } }),
    newline: ({ update }) =>
      update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "\n" } }),
    tool: ({ update }, title) =>
      update({ sessionUpdate: "tool_call", toolCallId: title, title, kind: "edit", status: "pending" }),
    tooled: ({ update }, title) =>
      update({ sessionUpdate: "tool_call_update", toolCallId: title, status: "completed" }),
    plan: ({ update }, done) =>
      update({
        sessionUpdate: "plan",
        entries: ["look", "think", "write", "test"].map((content, index) => ({
          content,
          priority: "medium",
          status: index < Number(done) ? "completed" : "pending"
        }))
      }),
    cost: ({ update }, amount) =>
      update({
        sessionUpdate: "usage_update",
        used: 10,
        size: 100,
        cost: { amount: Number(amount), currency: "USD" }
      }),
    strange: ({ update }) => update({ sessionUpdate: "of_the_future", something: 1 }),
    cwd: (turn) => acts.say(turn, cwd),
    read: async (turn, path) => {
      const answer = await turn.client.request("fs/read_text_file", {
        sessionId: "s",
        path,
        line: 2,
        limit: 1
      })
      await acts.say(turn, `[read ${answer.content}]`)
    },
    write: async (turn, path) => {
      await turn.client.request("fs/write_text_file", { sessionId: "s", path, content: "one\ntwo\nthree" })
      await acts.say(turn, "[written]")
    },
    ask: async (turn, kind, path) => {
      const answer = await turn.client.request("session/request_permission", {
        sessionId: "s",
        toolCall: {
          toolCallId: "t",
          title: `use ${kind}`,
          ...(kind.startsWith("tool:") ? { kind: "other", name: kind.slice(5) } : { kind }),
          ...(path === undefined ? {} : { locations: [{ path }] })
        },
        options: [
          { optionId: "always", name: "Always", kind: "allow_always" },
          { optionId: "yes", name: "Yes", kind: "allow_once" },
          { optionId: "no", name: "No", kind: "reject_once" }
        ]
      })
      await acts.say(turn, `[${answer.outcome.optionId ?? answer.outcome.outcome}]`)
    },
    try: async (turn, act, ...words) => {
      try {
        await acts[act](turn, ...words)
      } catch (error) {
        await acts.say(turn, `[${error.message}]\n`)
      }
    },
    garbage: async () => {
      process.stdout.write("Welcome!\n{not json\n[1,2]\n\u0000\n{}\n")
      process.stdout.write('{"jsonrpc":"2.0","method":"unknown/thing"}\n')
      process.stdout.write('{"jsonrpc":"2.0","method":"session/update","params":{"update":7}}\n')
    },
    huge: async () => void process.stdout.write(`{"jsonrpc":"2.0","x":"${"x".repeat(200_000)}`),
    die: async (_, code) => {
      process.stderr.write("the disk is on fire\n")
      await wait(20)
      process.exit(Number(code))
    },
    grandchild: async () => void spawn("sleep", ["60"], { stdio: "ignore" }),
    hang: () =>
      new Promise((resolve) => {
        cancelled = resolve
      }),
    stubborn: () => {
      process.on("SIGINT", () => undefined)
      process.on("SIGTERM", () => undefined)
      return new Promise(() => undefined)
    },
    fail: async (_, code, ...words) => {
      throw new RequestError(Number(code), words.join(" "))
    },
    malformed: async () => void process.stdout.write('{"jsonrpc":"2.0","id":2,"result":{"stopReason":5}}\n')
  }

  const app = agent({ name: "scripted" })
    .onRequest("initialize", ({ params }) => ({
      protocolVersion: Number(process.env.VERSION ?? params.protocolVersion),
      agentCapabilities: {}
    }))
    .onRequest("authenticate", () => ({}))
    .onRequest("session/set_mode", () => ({}))
    .onRequest("session/new", ({ params }) => {
      cwd = params.cwd
      if (process.env.LOGGED_OUT === "1") throw RequestError.authRequired()
      return { sessionId: "s" }
    })
    .onNotification("session/cancel", () => cancelled("cancelled"))
    .onRequest("session/prompt", async ({ client, params }) => {
      const update = (each) => client.notify("session/update", { sessionId: "s", update: each })
      let stopReason = "end_turn"
      for (const line of params.prompt[0].text.split("\n")) {
        const [act, ...words] = line.split(" ")
        if (act === "stop") stopReason = words[0]
        else if ((await acts[act]?.({ client, update }, ...words)) === "cancelled") stopReason = "cancelled"
      }
      return {
        stopReason,
        usage: {
          totalTokens: 170,
          inputTokens: 100,
          outputTokens: 20,
          cachedReadTokens: 50,
          thoughtTokens: 5
        }
      }
    })
  const connection = app.connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)))
  connection.closed.then(() => process.exit(0))
}
