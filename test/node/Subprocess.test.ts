import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Secrets from "@switchyard/core/Secrets"
import type { Workspace } from "@switchyard/core/WorkspaceService"
import * as Subprocess from "@switchyard/node/Subprocess"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { eventually, files, marked, markedEnv, node, short, test, workspace } from "./programs.js"

const provider = Secrets.make((name) =>
  name === "TOKEN" ? Effect.succeed("s3cret-value") : Effect.fail("it is not in the test")
)

const startIn = (
  place: Workspace,
  source: string,
  { heard = [], ...command }: Partial<Subprocess.Command> & { readonly heard?: Array<string> } = {}
) =>
  Subprocess.start(
    { command: node, args: ["-e", source], escalation: short, ...command },
    {
      workspace: place,
      idempotencyKey: "run/step/item/1",
      name: "step/talk",
      secrets: provider,
      onStdout: async (chunk) => void heard.push(Buffer.from(chunk).toString())
    }
  )

const echo = "process.stdin.on('data', (chunk) => process.stdout.write('heard ' + chunk))"

describe("a program with an open standard input", () => {
  test(
    "answers what is written to it, again and again, and ends with its scope",
    Effect.gen(function* () {
      const place = yield* workspace
      const { env, mark } = markedEnv()
      const heard: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          const program = yield* startIn(place, echo, { heard, env })
          for (const word of ["one", "two"]) {
            yield* program.write(word)
            yield* eventually(word, () => (heard.join("").includes(`heard ${word}`) ? true : undefined))
          }
          assert.deepStrictEqual(files(join(place.stateDir, "processes")), [`${program.pgid}.json`])
          assert.strictEqual(marked(mark).length, 1)
        })
      )
      assert.deepStrictEqual(marked(mark), [])
      assert.deepStrictEqual(files(join(place.stateDir, "processes")), [])
    })
  )

  test(
    "ends by itself when its input is closed, before any signal",
    Effect.gen(function* () {
      const program = yield* startIn(
        yield* workspace,
        "process.on('SIGINT', () => process.exit(9)); process.stdin.resume().on('end', () => process.exit(3))",
        { escalation: { interruptAfter: "10 seconds" } }
      )
      yield* program.closeInput
      assert.deepStrictEqual(yield* program.exit, { code: 3, signal: null })
    })
  )

  test(
    "is ended with everything it started, also where both ignore signals",
    Effect.gen(function* () {
      const place = yield* workspace
      const { env, mark } = markedEnv()
      const stubborn =
        "trap '' INT TERM; (trap '' INT TERM; while :; do sleep 1; done) & while :; do sleep 1; done"
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* startIn(place, "", {
            command: "/bin/sh",
            args: ["-c", stubborn],
            env,
            escalation: { interruptAfter: 0, ...short }
          })
          yield* eventually("the child", () => (marked(mark).length >= 2 ? true : undefined))
        })
      )
      assert.deepStrictEqual(marked(mark), [])
    })
  )

  test(
    "says what its end means, and that it reads nothing any more",
    Effect.gen(function* () {
      const place = yield* workspace
      const ends = (source: string) =>
        Effect.scoped(Effect.flatMap(startIn(place, source), (program) => Effect.flip(program.ended)))
      const crashed = yield* ends("console.error('out of ideas'); process.exit(4)")
      assert.strictEqual(crashed.kind, "Crashed")
      assert.match(crashed.reason, /exit code 4 before its work was done:\nout of ideas$/)
      assert.match((yield* ends("process.kill(process.pid, 'SIGKILL')")).reason, /was ended by SIGKILL/)
      assert.strictEqual((yield* ends("process.exit(127)")).kind, "NotFound")
      assert.strictEqual((yield* ends("")).kind, "Crashed")
      const program = yield* startIn(place, "process.exit(0)")
      yield* program.exit
      const unread = yield* Effect.flip(Effect.forever(program.write("x".repeat(1 << 20))))
      assert.strictEqual(unread.kind, "Crashed")
    })
  )

  test(
    "is not started where there is none, or where a secret is missing",
    Effect.gen(function* () {
      const place = yield* workspace
      const refused = (command: Partial<Subprocess.Command>) =>
        Effect.map(Effect.flip(startIn(place, "", command)), ({ kind }) => kind)
      assert.strictEqual(yield* refused({ command: "no-such-program-anywhere" }), "NotFound")
      assert.strictEqual(yield* refused({ command: "./here" }), "InvalidInput")
      assert.strictEqual(yield* refused({ env: { secrets: { KEY: "OTHER" } } }), "Unauthorized")
      assert.isTrue(yield* Subprocess.isInstalled({ command: "sh" }))
      assert.isFalse(yield* Subprocess.isInstalled({ command: "no-such-program-anywhere" }))
    })
  )

  test(
    "keeps its standard error without the secrets that it was given, however it is cut",
    Effect.gen(function* () {
      const place = yield* workspace
      const complaint = yield* Effect.scoped(
        Effect.gen(function* () {
          const program = yield* startIn(
            place,
            "const k = process.env.KEY; process.stderr.write('key ' + k.slice(0, 5)); " +
              "setTimeout(() => { process.stderr.write(k.slice(5) + ' end\\nlast ' + k); process.exitCode = 1 }, 50)",
            { env: { secrets: { KEY: "TOKEN" } } }
          )
          return (yield* Effect.flip(program.ended)).reason
        })
      )
      assert.match(complaint, /key \[secret TOKEN\] end\nlast \[secret TOKEN\]$/)
      assert.strictEqual(
        readFileSync(join(place.stateDir, "programs/step/talk.stderr"), "utf8"),
        "key [secret TOKEN] end\nlast [secret TOKEN]"
      )
    })
  )

  test(
    "is not spoken to before its output is read: a reader that waits keeps it waiting",
    Effect.gen(function* () {
      const place = yield* workspace
      const open = yield* Deferred.make<void>()
      let bytes = 0
      yield* Subprocess.start(
        { command: node, args: ["-e", "for (;;) require('fs').writeSync(1, 'x'.repeat(65536))"] },
        {
          workspace: place,
          idempotencyKey: "key",
          name: "flood",
          onStdout: (chunk) => {
            bytes += chunk.length
            return Effect.runPromise(Deferred.await(open))
          }
        }
      )
      yield* Effect.sleep("150 millis")
      assert.isBelow(bytes, 1 << 20)
      yield* Deferred.succeed(open, undefined)
      yield* eventually("the flood", () => (bytes > 1 << 22 ? true : undefined))
    })
  )
})
