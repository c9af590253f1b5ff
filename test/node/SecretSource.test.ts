import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import type { Provider } from "@switchyard/core/Secrets"
import * as Workflow from "@switchyard/core/Workflow"
import * as ProcessAgent from "@switchyard/node/ProcessAgent"
import * as SecretSource from "@switchyard/node/SecretSource"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { redactedWriter } from "../../packages/node/src/internal/redactedWriter.js"

let place = ""
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "switchyard-secrets-"))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

const nowGot = (provider: Provider, name: string) =>
  Redacted.value(Effect.runSync(Effect.orDie(provider.get(name))))
const got = async (provider: Provider, name: string) =>
  Redacted.value(await Effect.runPromise(provider.get(name)))
const refused = async (provider: Provider, name: string) =>
  (await Effect.runPromise(Effect.flip(provider.get(name)))).message

const fileOf = (name: string, text: string, mode = 0o600) => {
  const path = join(place, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe("secrets", () => {
  it("come from the environment", async () => {
    process.env.SWITCHYARD_TEST_SECRET = "from-env"
    assert.strictEqual(nowGot(SecretSource.environment(), "SWITCHYARD_TEST_SECRET"), "from-env")
    delete process.env.SWITCHYARD_TEST_SECRET
    assert.include(await refused(SecretSource.environment(), "SWITCHYARD_TEST_SECRET"), "is not set")
  })

  it("come from a file of lines or of JSON, which is read anew each time", async () => {
    const lines = fileOf(".env", '# keys\nexport KEY=plain-value # here\nQUOTED="two words\\nline"\n')
    assert.strictEqual(await got(SecretSource.file(lines), "KEY"), "plain-value")
    assert.strictEqual(await got(SecretSource.file(lines), "QUOTED"), "two words\nline")
    const json = fileOf("keys.json", '{ "KEY": "in json", "n": 5 }')
    const provider = SecretSource.file(json)
    assert.strictEqual(await got(provider, "KEY"), "in json")
    writeFileSync(json, '{ "KEY": "rotated" }')
    assert.strictEqual(await got(provider, "KEY"), "rotated")
    assert.strictEqual(provider.redact("in json, rotated"), "[secret KEY], [secret KEY]")
    assert.include(await refused(provider, "toString"), "does not name it")
  })

  it("do not come from a file that others may read, or that is none", async () => {
    const open = fileOf("open.env", "KEY=value", 0o640)
    assert.match(await refused(SecretSource.file(open), "KEY"), /others than its owner.*mode 640.*chmod 600/)
    assert.include(await refused(SecretSource.file(join(place, "none")), "KEY"), "it does not exist")
    assert.include(await refused(SecretSource.file(place), "KEY"), "not a regular file")
    const broken = fileOf("broken.json", '{ "KEY": "s3cret-value" ')
    const message = await refused(SecretSource.file(broken), "KEY")
    assert.include(message, "begins like JSON")
    assert.notInclude(message, "s3cret")
  })

  it("come from a directory of files, links included, and from nowhere else", async () => {
    const directory = join(place, "mounted")
    mkdirSync(join(directory, "..data"), { recursive: true })
    writeFileSync(join(directory, "..data", "token"), "from-mount\n")
    symlinkSync("..data/token", join(directory, "token"))
    fileOf("outside", "outside")
    const provider = SecretSource.directory(directory)
    assert.strictEqual(await got(provider, "token"), "from-mount")
    assert.include(await refused(provider, "../outside"), "cannot be the name of a file")
    assert.include(await refused(provider, "other"), "does not exist")
    const first = SecretSource.firstOf([provider, SecretSource.file(fileOf("more.env", "MORE=more-value"))])
    assert.strictEqual(await got(first, "MORE"), "more-value")
  })
})

describe("a stream that is kept", () => {
  it("has no secret, wherever it is cut, and every other byte as it was", async () => {
    const value = "pässwörd-€"
    const provider = SecretSource.environment()
    process.env.SWITCHYARD_TEST_SECRET = value
    nowGot(provider, "SWITCHYARD_TEST_SECRET")
    delete process.env.SWITCHYARD_TEST_SECRET
    const secret = Buffer.from(value)
    const mark = Buffer.from("[secret SWITCHYARD_TEST_SECRET]")
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(undefined)), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (parts, cuts) => {
          const all = Buffer.concat(parts.map((part) => part ?? secret))
          const expected = Buffer.concat(parts.map((part) => part ?? mark))
          const kept: Array<Uint8Array> = []
          const writer = redactedWriter([provider], async (chunk) => void kept.push(chunk))
          let at = 0
          for (const cut of [...cuts, all.length]) {
            await writer.write(all.subarray(at, at + cut))
            at += cut
          }
          await writer.end()
          assert.deepStrictEqual(Buffer.concat(kept), expected)
        }
      ),
      { numRuns: 200 }
    )
  })
})

describe("a directory", () => {
  it("has no secret anywhere that its provider has given", async () => {
    const value = "s3cret/välue+1"
    const directory = join(place, "yard")
    const secrets = SecretSource.file(fileOf("yard.json", JSON.stringify({ KEY: value })))
    const program = ProcessAgent.make("loud", {
      capabilities: [{ skill: "say" }],
      command: "/bin/sh",
      args: [
        "-c",
        'printf "%s" "$KEY" | head -c 6; sleep 0.1; printf "%s" "$KEY" | tail -c +7; echo "$KEY" >&2; exit 4'
      ],
      env: { expand: { KEY: `$${"{secret:KEY}"}` } },
      secrets
    })
    const echo = Agent.fromPromise("echo", {
      capabilities: [{ skill: "echo" }],
      run: async ({ input }, { report }) => {
        report({ message: `it is ${value}` })
        return { input, [value]: Buffer.from(`x:${value}`).toString("base64") }
      }
    })
    const workflow = Workflow.make("w").pipe(
      Workflow.step("say", { skill: "say", onFailure: "continue" }),
      Workflow.step("echo", {
        skill: "echo",
        after: ["say"],
        join: "allSettled",
        input: { token: "{{ params.token }}" }
      })
    )
    await using yard = await Switchyard.open({ directory, agents: [program, echo], secrets })
    const first = await yard.registerRun({ workflow, params: { token: "none" } })
    const result = await first.result
    const second = await yard.registerRun({ workflow, params: { token: value } })
    const all = [
      result,
      await second.result,
      await yard.getRun(second.runId),
      await yard.getSteps(first.runId)
    ]
    assert.strictEqual(result.status, "Completed")
    await yard.close()
    const found: Array<string> = []
    for (const path of listed(directory)) found.push(readFileSync(path, "latin1"))
    const text = [...found, Buffer.from(JSON.stringify(all)).toString("latin1")].join("\n")
    const bytes = Buffer.from(value)
    const forms = [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      bytes.toString("base64")
    ]
    for (const form of forms) assert.notInclude(text, Buffer.from(form).toString("latin1"))
    assert.include(text, "[secret KEY]")
    assert.include(
      readFileSync(join(directory, `workspaces/run-${first.runId}/state/programs/say/0-1.stdout`), "utf8"),
      "[secret KEY]"
    )
    assert.include(
      readFileSync(join(directory, `workspaces/run-${second.runId}/config.json`), "utf8"),
      "[secret KEY]"
    )
  }, 20_000)
})

const listed = (root: string): ReadonlyArray<string> => {
  return readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : []
  )
}
