import { existsSync } from "node:fs"
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import type * as Agent from "@switchyard/core/Agent"
import * as DirectoryWorkspace from "@switchyard/node/DirectoryWorkspace"
import * as ToolDefinition from "@switchyard/node/ToolDefinition"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { eventsOf, eventually, io, marked, markedEnv, taskIn, workspace } from "./programs.js"

/** The stand-ins, first in PATH under the names of the tools, so that the definitions are used as they are shipped. */
let installed = ""
const path = process.env.PATH

const programs = {
  "claude-code": "claude",
  codex: "codex",
  gemini: "gemini",
  opencode: "opencode",
  aider: "aider"
}

beforeAll(async () => {
  installed = await mkdtemp(join(tmpdir(), "switchyard-tools-"))
  for (const name of Object.values(programs)) {
    const script = fileURLToPath(new URL(`programs/tools/${name}.mjs`, import.meta.url))
    const file = join(installed, name)
    await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`)
    await chmod(file, 0o755)
  }
  process.env.PATH = `${installed}${delimiter}${path}`
})

afterAll(async () => {
  process.env.PATH = path
  await rm(installed, { recursive: true, force: true })
})

const answer = "Voilà, c'est écrit."

interface Expected {
  readonly name: ToolDefinition.WellKnownName
  readonly usage: Agent.Output["usage"]
  /** Some of the messages that it reports, in order. */
  readonly messages: ReadonlyArray<string>
  /** What the failure of a used-up limit is, and how long it says to wait. */
  readonly limit: readonly [Agent.AgentErrorKind, waitMillis: number]
  /** What a crash in the middle has consumed. */
  readonly crashed: number | undefined
}

const expected: ReadonlyArray<Expected> = [
  {
    name: "claude-code",
    usage: { inputTokens: 3010, outputTokens: 60, cachedTokens: 2500, costMicroUsd: 12_300 },
    messages: ["works with claude-sonnet-4-5", "I will write it.", "uses Write", answer],
    limit: ["QuotaExhausted", 7_200_000],
    crashed: 1504
  },
  {
    name: "codex",
    // 315 tokens at 1.25, 24,448 at 0.125 and 122 at 10 dollars per million.
    usage: { inputTokens: 24_763, outputTokens: 122, cachedTokens: 24_448, costMicroUsd: 4670 },
    messages: ["**Looking around**", "runs bash -lc ls", "add answer.txt", answer],
    limit: ["QuotaExhausted", ((2 * 24 + 17) * 60 + 14) * 60_000],
    crashed: undefined
  },
  {
    name: "gemini",
    usage: { inputTokens: 1500, outputTokens: 50, cachedTokens: 1000, costMicroUsd: 1435 },
    messages: ["works with gemini-2.5-pro", "uses write_file", "Voilà, ", "c'est écrit."],
    limit: ["QuotaExhausted", ((3 * 60 + 14) * 60 + 5) * 1000],
    crashed: undefined
  },
  {
    name: "opencode",
    usage: { inputTokens: 2650, outputTokens: 35, cachedTokens: 2300, costMicroUsd: 15_000 },
    messages: ["I will write it.", "uses write", answer],
    limit: ["RateLimited", 120_000],
    crashed: 1300
  },
  {
    name: "aider",
    usage: { inputTokens: 2100, outputTokens: 123, cachedTokens: 1500, costMicroUsd: 12_500 },
    messages: ["works with gpt-4o", "edits answer.txt"],
    limit: ["RateLimited", 20_000],
    crashed: undefined
  }
]

const outputOf = (events: ReadonlyArray<Agent.AgentEvent>): Agent.Output => {
  const last = events.at(-1)
  if (last?._tag !== "Output") return assert.fail("there is no output")
  return last
}

const messagesOf = (events: ReadonlyArray<Agent.AgentEvent>): ReadonlyArray<string> =>
  events.flatMap((each) => (each._tag === "Progress" && each.message !== undefined ? [each.message] : []))

const inWorkspace = <A, E>(body: Effect.Effect<A, E, Effect.Effect.Context<typeof workspace>>): Promise<A> =>
  Effect.runPromise(Effect.scoped(body).pipe(Effect.provide(DirectoryWorkspace.layerTemp())))

describe.concurrent.each(expected)("$name", ({ crashed, limit, messages, name, usage }) => {
  const eventsIn = (scenario: string, definition: ToolDefinition.ToolDefinition = {}) =>
    Effect.gen(function* () {
      const agent = yield* Effect.orDie(ToolDefinition.make("tool", { extends: name, ...definition }))
      const space = yield* Effect.orDie(workspace)
      return yield* eventsOf(agent, taskIn(space, `Write the answer.\nscenario: ${scenario}`))
    })
  const failureIn = (scenario: string, definition: ToolDefinition.ToolDefinition = {}) =>
    Effect.flip(eventsIn(scenario, definition))

  it("gives its answer, what it did, its tokens and its cost, and runs in the workspace", () =>
    inWorkspace(
      Effect.gen(function* () {
        const events = yield* eventsIn("well")
        const { usage: used, value } = outputOf(events)
        assert.include(String(value), answer)
        if (name !== "aider") assert.isTrue(String(value).endsWith(answer))
        assert.deepStrictEqual(used, usage)
        const said = messagesOf(events)
        assert.deepStrictEqual(
          messages.filter((each) => !said.includes(each)),
          [],
          said.join("\n")
        )
        assert.isTrue(existsSync(join((yield* workspace).outputsDir, "answer.txt")))
      })
    ))

  it("is read the same in small pieces, after a slow start, and between megabytes of other things", () =>
    inWorkspace(
      Effect.gen(function* () {
        for (const scenario of ["partial", "slow", "huge"]) {
          const { usage: used, value } = outputOf(yield* eventsIn(scenario))
          assert.isTrue(String(value).includes(answer), scenario)
          assert.deepStrictEqual(used, usage, scenario)
        }
        const kept = join((yield* workspace).stateDir, "programs/step/0-1.stdout")
        assert.isAbove((yield* io(() => stat(kept))).size, 11_000_000)
      })
    ))

  it("loses bytes that are not UTF-8, and says so", () =>
    inWorkspace(
      Effect.gen(function* () {
        const events = yield* eventsIn("invalid")
        assert.include(String(outputOf(events).value), "c'est \uFFFDcrit.")
        assert.include(messagesOf(events).at(-1) ?? "", "not UTF-8")
        const kept = join((yield* workspace).stateDir, "programs/step/0-1.stdout")
        assert.isTrue((yield* io(() => readFile(kept))).includes(0xff))
      })
    ))

  it("has failures that say what they are, and when to come back", () =>
    inWorkspace(
      Effect.gen(function* () {
        const limited = yield* failureIn("limit")
        assert.strictEqual(limited.kind, limit[0], limited.message)
        assert.closeTo(limited.retryAfterMillis ?? 0, limit[1], 30_000)
        const stranger = yield* failureIn("auth")
        assert.strictEqual(stranger.kind, "Unauthorized", stranger.message)
        assert.isFalse(stranger.retryable)
        assert.isUndefined(stranger.retryAfterMillis)
      })
    ))

  it("keeps what a crash in the middle had consumed, and takes no half of an answer for one", () =>
    inWorkspace(
      Effect.gen(function* () {
        const broken = yield* failureIn("crash")
        assert.strictEqual(broken.kind, "Crashed")
        assert.include(broken.message, "SIGSEGV")
        assert.strictEqual(broken.usage?.inputTokens, crashed)
        if (name === "aider") return
        const cut = yield* failureIn("truncated")
        assert.strictEqual(cut.kind, "InvalidOutput")
        assert.include(cut.message, "the connection was lost")
      })
    ))

  it("is gone with what it started, although they ignore all but SIGKILL", () =>
    inWorkspace(
      Effect.gen(function* () {
        const { mark } = markedEnv()
        const definition = { env: { set: { MARK: mark } }, escalation: { terminate: "200ms", kill: "200ms" } }
        const fiber = yield* Effect.forkScoped(eventsIn("stubborn", definition))
        // A shell, which becomes the tool, and its child.
        yield* eventually("the grandchild", () => (marked(mark).length >= 2 ? true : undefined))
        yield* Effect.sleep("100 millis")
        const before = Date.now()
        yield* Fiber.interrupt(fiber)
        assert.isBelow(Date.now() - before, 3000)
        assert.deepStrictEqual(marked(mark), [])
      })
    ))
})

describe("ready definitions", () => {
  it("are in good health where their program is installed, and say what they need of a run", async () => {
    for (const name of Object.keys(programs) as ReadonlyArray<ToolDefinition.WellKnownName>) {
      const agent = await Effect.runPromise(ToolDefinition.wellKnown(name))
      assert.deepStrictEqual(await Effect.runPromise(agent.probe ?? Effect.die("no probe")), {
        _tag: "Healthy"
      })
      assert.deepStrictEqual(agent.requires, ["Execute", "Network", "InvokeModel"])
      assert.include(
        agent.capabilities.map(({ skill }) => skill),
        "coding"
      )
    }
  })

  it("are told the model that the input, the step or the definition names, and no other", () =>
    inWorkspace(
      Effect.gen(function* () {
        const definition = { extends: "claude-code", model: "haiku" }
        const agent = yield* ToolDefinition.make("tool", definition)
        const space = yield* workspace
        const used = (input: Agent.Task["input"], more: Partial<Agent.Task> = {}) =>
          Effect.map(eventsOf(agent, taskIn(space, input, more)), (events) => messagesOf(events)[0])
        assert.strictEqual(yield* used("x"), "works with haiku")
        const constraints = { model: "sonnet" }
        assert.strictEqual(yield* used("x", { constraints }), "works with sonnet")
        assert.strictEqual(yield* used({ prompt: "x", model: "opus" }, { constraints }), "works with opus")
        const unknown = yield* Effect.flip(used({ prompt: "x", model: "opsu" }))
        assert.strictEqual(unknown.kind, "InvalidInput")
        assert.include(unknown.message, 'did you mean "opus"?')
      })
    ))

  it("can be built on, and what cannot work is said when the agent is made", async () => {
    const reason = (definition: ToolDefinition.ToolDefinition) =>
      Effect.runPromise(
        Effect.map(Effect.flip(ToolDefinition.make("tool", definition)), ({ message }) => message)
      )
    assert.include(await reason({ extends: "claude-cod" }), 'did you mean "claude-code"?')
    assert.include(await reason({}), "neither a command nor a ready definition")
    assert.include(await reason({ extends: "codex", model: "gpt-6" }), 'no model "gpt-6"')
    const records = [{ when: "item.type ==", result: "x" }]
    assert.include(
      await reason({ command: "x", output: { format: "jsonl", records } }),
      "output.records[0].when"
    )
    const failures = [{ kind: "Failed" as const, pattern: "(" }]
    assert.include(
      await reason({ command: "x", output: { format: "text", failures } }),
      "failures[0].pattern"
    )
    assert.include(await reason({ command: "x", env: { set: { A: `\${B` } } }), 'without its "}"')
  })
})
