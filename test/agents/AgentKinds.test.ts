import { assert, describe, it } from "@effect/vitest"
import { acpKind, remoteKind } from "@switchyard/agents/AgentKinds"
import * as AgentFile from "@switchyard/node/AgentFile"
import * as Effect from "effect/Effect"
import { node, test, workspace } from "../node/programs.js"
import { attemptIn, failureOf, outputOf, python, secrets, served, typescript } from "./workers.js"

const kinds = [acpKind, remoteKind]

const parse = (text: string) => AgentFile.parse(text, { kinds, secrets })

describe("agents of files", () => {
  test(
    "may be workers that are programs, and workers behind a URL",
    Effect.gen(function* () {
      const worker = python ?? typescript
      const place = yield* workspace
      const { url } = yield* served(worker)
      const ways = [
        `command: ${JSON.stringify(worker.command)}\nargs: ${JSON.stringify(worker.args)}`,
        `url: ${url}\ntoken: WORKER_TOKEN\ntimeoutMillis: 20000`
      ]
      for (const way of ways) {
        const { agent } = yield* parse(
          `id: words\nkind: remote\ncapabilities: [count-words]\nagent: count-words\n${way}`
        )
        assert.deepStrictEqual(outputOf(yield* attemptIn(agent, place, "a b c")).value, { words: 3 })
      }
    })
  )

  it.effect("say what is wrong with them, and nothing is started", () =>
    Effect.gen(function* () {
      const wrong = (text: string) =>
        Effect.map(Effect.flip(parse(`id: it\ncapabilities: [work]\n${text}`)), ({ message }) => message)
      assert.include(yield* wrong("kind: remote"), "give it either a command or a url")
      assert.include(
        yield* wrong("kind: remote\ncommand: a\nurl: http://h/"),
        "give it either a command or a url"
      )
      assert.include(yield* wrong("kind: remote\ncommand: a\ntoken: T"), "a token is for a url")
      assert.include(yield* wrong("kind: remote\nurl: http://h/\nargs: [a]"), "are for a command")
      assert.include(yield* wrong("kind: remote\nurl: ftp://h/"), "has to begin with http")
      assert.include(yield* wrong("kind: acp\ncommand: ./here"), "is relative")
      assert.include(yield* wrong("kind: acp\ncomand: here"), "comand")
      const { agent } = yield* parse("id: coder\nkind: acp\ncapabilities: [code]\ncommand: gone\nmode: code")
      assert.deepStrictEqual(agent.requires, ["Execute"])
      assert.strictEqual((yield* agent.probe ?? Effect.die("no probe"))._tag, "Unhealthy")
    })
  )

  test(
    "are not started in a workspace that is none",
    Effect.gen(function* () {
      const { agent } = yield* parse(`id: it\nkind: acp\ncapabilities: [code]\ncommand: ${node}`)
      const place = yield* workspace
      const refused = yield* failureOf(attemptIn(agent, { ...place, root: "/memory/run-x" }, "in"))
      assert.match(refused.reason, /needs a workspace on disk/)
    })
  )
})
