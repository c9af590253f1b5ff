import { symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe } from "@effect/vitest"
import * as AcpAgent from "@switchyard/agents/AcpAgent"
import * as Agent from "@switchyard/core/Agent"
import { allows, type Granted, type Permission } from "@switchyard/core/Permission"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import {
  eventsOf,
  eventually,
  files,
  marked,
  markedEnv,
  node,
  short,
  taskIn,
  test,
  workspace
} from "../node/programs.js"
import { failureOf, messagesOf, outputOf } from "./workers.js"

const program = fileURLToPath(new URL("programs/acpAgent.mjs", import.meta.url))

const quick = { interruptAfter: "200 millis", ...short } as const

const agentOf = (options: Partial<AcpAgent.Options> = {}) =>
  Effect.orDie(
    AcpAgent.make("scripted", {
      capabilities: [{ skill: "code" }],
      command: node,
      args: [program],
      // It imports the protocol from where this project has it.
      readable: [fileURLToPath(new URL("../..", import.meta.url))],
      escalation: quick,
      ...options
    })
  )

/** What an agent comes to that is prompted with these lines. */
const prompted = (
  lines: ReadonlyArray<string>,
  options: Partial<AcpAgent.Options> = {},
  permissions: Agent.Permissions = Agent.unrestricted
) =>
  Effect.gen(function* () {
    const agent = yield* agentOf(options)
    return yield* eventsOf(agent, taskIn(yield* workspace, lines.join("\n"), { permissions }))
  })

const textOf = (...given: Parameters<typeof prompted>) =>
  Effect.map(prompted(...given), (events) => (outputOf(events).value as { readonly text: string }).text)

const granting = (granted: Granted) => {
  const denials: Array<Permission> = []
  const permissions: Agent.Permissions = {
    granted,
    allows: (permission) => allows(granted, permission),
    deny: Agent.unrestricted.deny,
    require: (permission, reason) =>
      allows(granted, permission)
        ? Effect.void
        : Effect.suspend(() => {
            denials.push(permission)
            return Effect.fail(
              new Agent.AgentError({
                kind: "PermissionDenied",
                reason: `${permission} is not granted ${reason}`
              })
            )
          })
  }
  return { denials, permissions }
}

describe("an agent that speaks the Agent Client Protocol", () => {
  test(
    "gives its text, and tells of its text, its tools, its plan, its tokens and its cost on the way",
    Effect.gen(function* () {
      const place = yield* workspace
      const { env, mark } = markedEnv()
      const events = yield* prompted(
        [
          "garbage",
          "cwd",
          "newline",
          "plan 1",
          "tool edit-main",
          "tooled edit-main",
          "strange",
          "cost 0.25",
          "say done"
        ],
        { env }
      )
      const output = outputOf(events)
      assert.deepStrictEqual(output.value, { text: `${place.outputsDir}\ndone`, stopReason: "end_turn" })
      assert.deepStrictEqual(output.usage, {
        inputTokens: 150,
        outputTokens: 20,
        cachedTokens: 50,
        costMicroUsd: 250_000
      })
      assert.deepStrictEqual(messagesOf(events), [
        place.outputsDir,
        "think",
        "edit-main",
        "edit-main (completed)"
      ])
      const far = events.flatMap((event) => (event._tag === "Progress" ? [event.progress ?? 0] : []))
      assert.include(far, 0.25)
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join(place.stateDir, "processes")), [])
    })
  )

  test(
    "reads and writes files of the workspace, and no others",
    Effect.gen(function* () {
      const place = yield* workspace
      const { outputsDir, root, stateDir } = place
      writeFileSync(join(stateDir, "note.txt"), "a\nb\nc")
      assert.strictEqual(
        yield* textOf([
          `write ${outputsDir}/a/b.txt`,
          `read ${outputsDir}/a/b.txt`,
          `read ${stateDir}/note.txt`
        ]),
        "[written][read two][read b]"
      )
      const tries = [
        "read /etc/passwd",
        `read ${root}/config.json`,
        `read ${outputsDir}/../../../x`,
        "write /tmp/escaped.txt",
        `write ${stateDir}/note.txt`,
        `write ${outputsDir}`,
        `read ${outputsDir}/link/passwd`,
        `write ${outputsDir}/link/passwd`
      ]
      symlinkSync("/etc", join(outputsDir, "link"))
      const refusals = (yield* textOf(tries.map((each) => `try ${each}`))).trim().split("\n")
      assert.strictEqual(refusals.length, tries.length)
      for (const refusal of refusals) assert.match(refusal, /is outside|belongs to the host/)
      const failed = yield* failureOf(prompted(["read /etc/passwd"]))
      assert.strictEqual(failed.kind, "Failed")
      assert.match(failed.reason, /failed at session\/prompt: "\/etc\/passwd" is outside/)
    })
  )

  test(
    "may do what the run grants, and is told so where it does not, which is recorded",
    Effect.gen(function* () {
      const { outputsDir } = yield* workspace
      const asks = ["read", "edit", "execute", "fetch", "think", "tool:web-search", "other"]
      const prompt = asks.map((kind) => `ask ${kind}`)
      const all = yield* textOf(prompt)
      assert.strictEqual(all, "[yes]".repeat(asks.length))
      const none = yield* textOf(prompt, { unattended: "deny" })
      assert.strictEqual(none, "[no][no][no][no][yes][no][no]")
      const some = granting(["Execute", "ReadFiles", "tool:web-search"])
      const events = yield* prompted([...prompt, "ask move /etc/passwd"], {}, some.permissions)
      assert.deepInclude(outputOf(events).value as object, { text: "[yes][no][yes][no][yes][yes][no][no]" })
      assert.deepStrictEqual(some.denials, ["WriteFiles", "Network", "tool:other"])
      assert.include(messagesOf(events)[0], "refused: use edit (WriteFiles is not granted")
      const outside = yield* textOf([
        "ask edit /etc/passwd",
        `ask edit ${outputsDir}/x`,
        "ask read /etc/passwd"
      ])
      assert.strictEqual(outside, "[no][yes][yes]")
      const reader = granting(["Execute", "ReadFiles"])
      const refused = yield* failureOf(prompted([`write ${outputsDir}/a.txt`], {}, reader.permissions))
      assert.include(refused.reason, "WriteFiles is not granted")
      assert.deepStrictEqual(reader.denials, ["WriteFiles"])
      const nothing = granting([])
      assert.strictEqual(
        (yield* failureOf(prompted(["say x"], {}, nothing.permissions))).kind,
        "PermissionDenied"
      )
      assert.deepStrictEqual(nothing.denials, ["Execute"])
    })
  )

  const cancelled = (act: string, check: (millis: number) => void) =>
    Effect.gen(function* () {
      const { env, mark } = markedEnv()
      const agent = yield* agentOf({ env, cancelTimeout: "300 millis" })
      const running = agent.run(taskIn(yield* workspace, ["grandchild", "tool begin", act].join("\n")))
      assert.isFalse(Effect.isEffect(running))
      let begun = false
      const fiber = yield* Effect.fork(
        Stream.runForEach(running as Stream.Stream<Agent.AgentEvent, Agent.AgentError>, () =>
          Effect.sync(() => {
            begun = true
          })
        )
      )
      yield* eventually("the beginning", () => (begun ? true : undefined))
      assert.isAbove(marked(mark).length, 1)
      const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
      assert.deepStrictEqual(marked(mark), [])
      check(Duration.toMillis(took))
    })

  test(
    "stops when it is told to, with everything that it started",
    cancelled("hang", (millis) => assert.isBelow(millis, 3000))
  )

  test(
    "is ended when it does not stop",
    cancelled("stubborn", (millis) => assert.isAbove(millis, 300))
  )

  test(
    "that fails is told apart by how it does",
    Effect.gen(function* () {
      const kindOf = (lines: ReadonlyArray<string>, options: Partial<AcpAgent.Options> = {}) =>
        Effect.map(failureOf(prompted(lines, options)), ({ kind, reason }) => `${kind}: ${reason}`)
      assert.match(
        yield* kindOf(["say x", "die 3"]),
        /^Crashed: The program .* ended with exit code 3 before its work was done:\nthe disk is on fire$/
      )
      assert.match(yield* kindOf(["hang"], { stallTimeout: "400 millis" }), /^Timeout: .* nothing for 400 ms/)
      assert.match(yield* kindOf(["huge"], { maxMessageBytes: 100_000 }), /^InvalidOutput: .*100000 bytes/)
      assert.match(yield* kindOf(["fail -32603 Rate limit reached"]), /^RateLimited: .*Rate limit reached/)
      assert.match(yield* kindOf(["fail -32603 You have hit your usage limit"]), /^QuotaExhausted/)
      assert.match(yield* kindOf(["stop refusal"]), /^Failed: The agent refuses/)
      assert.match(yield* kindOf(["stop max_tokens"]), /^ContextTooLong/)
      assert.match(
        yield* kindOf([], { env: { set: { VERSION: "7" } } }),
        /^Failed: The agent speaks version 7/
      )
      assert.match(yield* kindOf([], { env: { set: { LOGGED_OUT: "1" } } }), /^Unauthorized: .*session\/new/)
      assert.match(
        yield* kindOf([], { env: { set: { SILENT: "1" } }, startTimeout: "300 millis" }),
        /^Timeout: The agent did not open a session within 300 ms/
      )
      assert.match(yield* kindOf([], { command: "no-such-acp-agent" }), /^NotFound/)
      const invalid = yield* Effect.flip(AcpAgent.make("bad", { capabilities: [], command: "./x" }))
      assert.include(invalid.message, 'The ACP agent "bad" cannot be run: "./x" is relative')
    })
  )
})
