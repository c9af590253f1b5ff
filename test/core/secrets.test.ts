import { describe, expect, it } from "@effect/vitest"
import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import * as Distributor from "@switchyard/core/Distributor"
import { Event } from "@switchyard/core/Event"
import * as EventLog from "@switchyard/core/EventLog"
import { logId } from "@switchyard/core/Ids"
import * as Orchestrator from "@switchyard/core/Orchestrator"
import * as Secrets from "@switchyard/core/Secrets"
import { kindsOfEvents } from "@switchyard/core/testing/EventSamples"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkspaceService from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { formsOf } from "../../packages/core/src/internal/secretForms.js"

const of = (values: Readonly<Record<string, string>>) =>
  Secrets.make((name) => {
    const value = values[name]
    return value === undefined ? Effect.fail("it is not listed") : Effect.succeed(value)
  })

/** A provider that has given all of these. */
const given = (values: Readonly<Record<string, string>>) => {
  const provider = of(values)
  for (const name of Object.keys(values)) Effect.runSync(provider.get(name))
  return provider
}

const isIn = (text: string, secrets: ReadonlyArray<string>) => secrets.filter((each) => text.includes(each))

// What is put in the place of a secret must not make one itself.
const secret = fc.oneof(
  fc.stringOf(fc.constantFrom("a", "b"), { minLength: 4, maxLength: 9 }),
  fc.string({ minLength: 4, maxLength: 30 }).filter((text) => !/[[\] A-Z]/.test(text)),
  fc.fullUnicodeString({ minLength: 4, maxLength: 12 }).filter((text) => !/[[\] A-Z]/.test(text))
)
const secrets = fc.uniqueArray(secret, { minLength: 1, maxLength: 12 })
const named = (values: ReadonlyArray<string>) =>
  Object.fromEntries(values.map((value, index) => [`S${index}`, value]))

/** What of a text belongs to no secret in any form, looked for one by one. */
const uncovered = (text: string, values: ReadonlyArray<string>): string => {
  const covered = new Set<number>()
  for (const form of values.flatMap((value) => [...formsOf(value)])) {
    if (form.length < 4) continue
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
      for (let index = at; index < at + form.length; index++) covered.add(index)
    }
  }
  return text
    .split("")
    .filter((_, index) => !covered.has(index))
    .join("")
}

const noise = fc.oneof(fc.string(), fc.stringOf(fc.constantFrom("a", "b"), { maxLength: 12 }))

describe("a provider of secrets", () => {
  it("gives what there is, and refuses what nobody could keep secret", () => {
    const provider = of({ key: "s3cret", short: "abc", empty: "" })
    const messageOf = (name: string) => Effect.runSync(Effect.flip(provider.get(name))).message
    expect(provider.hasGiven()).toBe(false)
    expect(Redacted.value(Effect.runSync(provider.get("key")))).toBe("s3cret")
    expect(provider.hasGiven()).toBe(true)
    expect(messageOf("short")).toContain('"short" is not available: it has fewer than 4 characters')
    expect(messageOf("empty")).toContain("it is empty")
    expect(messageOf("other")).toContain("it is not listed")
  })

  it("asks several in turn, and says where all of them looked", () => {
    const both = Secrets.firstOf([of({ a: "first-a" }), of({ a: "second-a", b: "second-b" })])
    expect(Redacted.value(Effect.runSync(both.get("a")))).toBe("first-a")
    expect(Redacted.value(Effect.runSync(both.get("b")))).toBe("second-b")
    expect(both.redact("x second-b first-a")).toBe("x [secret b] [secret a]")
    expect(Effect.runSync(Effect.flip(both.get("c"))).message).toContain("it is not listed; it is not listed")
  })

  it("knows every value of one that is rotated", () => {
    let value = "value-0"
    const provider = Secrets.make(() => Effect.sync(() => value))
    for (const next of ["value-0", "value-1", "value-2"]) {
      value = next
      Effect.runSync(provider.get("k"))
    }
    expect(provider.redact("value-0 value-1 value-2 value-3")).toBe(
      "[secret k] [secret k] [secret k] value-3"
    )
  })
})

describe("redacting", () => {
  const value = 'p"ss/wörd+\\1'
  const provider = given({ K: value })
  const bytes = Buffer.from(value)
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["as it is", value],
    ["inside JSON", JSON.stringify({ a: value })],
    ["inside JSON in JSON", JSON.stringify({ a: JSON.stringify({ b: value }) })],
    ["in a URL", `https://h/?q=${encodeURIComponent(value)}`],
    ["in a form", new URLSearchParams({ q: value }).toString()],
    ["in Base64", bytes.toString("base64")],
    ["in Base64 after other text", Buffer.concat([Buffer.from("user:"), bytes]).toString("base64")],
    [
      "in Base64 within other text",
      Buffer.concat([Buffer.from("a"), bytes, Buffer.from("zz")]).toString("base64")
    ],
    ["in Base64 for URLs", bytes.toString("base64url")],
    ["in hexadecimal", bytes.toString("hex").toUpperCase()],
    ["as bytes", bytes.toString("latin1")]
  ]
  for (const [how, text] of forms) {
    it(`finds a secret ${how}`, () => {
      const redacted = provider.redact(`before ${text} after`)
      expect(redacted).toContain("[secret K]")
      expect(redacted).toMatch(/^before /)
      expect(redacted).toMatch(/ after$/)
    })
  }

  it("leaves no part of secrets that overlap", () => {
    const overlapping = given({ A: "abcdef", B: "defghi", C: "cde1" })
    expect(overlapping.redact("..abcdefghi..")).toBe("..[secret A][secret B]..")
    expect(overlapping.redact("abcdefabcdef")).toBe("[secret A][secret A]")
    expect(overlapping.redact("abcde defgh")).toBe("abcde defgh")
    expect(given({ A: "abcdefgh", B: "cdef" }).redact("..abcdefgh..")).toBe("..[secret A]..")
  })

  it("finds each line of a secret of several lines", () => {
    const pem = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"
    expect(given({ PEM: pem }).redact("  kqhkiG9w0BAQEF")).toBe("  [secret PEM]")
  })

  it("leaves no secret in any text, however it is cut", () => {
    fc.assert(
      fc.property(
        secrets,
        fc.array(fc.oneof(noise, fc.nat(11)), { maxLength: 20 }),
        fc.array(fc.nat(7), { maxLength: 60 }),
        (values, parts, cuts) => {
          const provider = given(named(values))
          const text = parts.map((part) => (typeof part === "number" ? (values[part] ?? "") : part)).join("")
          const whole = provider.redact(text)
          // The names stand in brackets, so that what is left of the text is between them.
          const rest = whole.split(/\[secret S\d+\]/)
          for (const piece of rest) expect(isIn(piece, values)).toEqual([])
          expect(rest.join("")).toBe(uncovered(text, values))
          const redacting = provider.redacting()
          let pieces = ""
          let at = 0
          for (const cut of cuts) {
            pieces += redacting.push(text.slice(at, at + cut))
            at += cut
          }
          expect(pieces + redacting.push(text.slice(at)) + redacting.end()).toBe(whole)
        }
      ),
      { numRuns: 300 }
    )
  })

  it("keeps as much in memory as the longest secret has, also of an endless one", () => {
    const redacting = given({ A: "aaaa" }).redacting()
    let settled = ""
    for (let i = 0; i < 10_000; i++) settled += redacting.push("aaaaaaaa")
    expect(settled).toBe("[secret A]")
    // All that is held back, with its other forms: 8 characters of hexadecimal, less one.
    expect(redacting.push("b".repeat(7))).toBe("")
    expect(redacting.end()).toBe("b".repeat(7))
  })

  it("replaces keys and values of JSON, and gives what has none as it is", () => {
    const json = { "x-s3cret": ["s3cret", { deep: "as3cretb" }], n: 1, no: null }
    const provider = given({ K: "s3cret" })
    expect(Secrets.redactJson(provider, json)).toEqual({
      "x-[secret K]": ["[secret K]", { deep: "a[secret K]b" }],
      n: 1,
      no: null
    })
    const clean = { a: ["b", { c: 1 }] }
    expect(Secrets.redactJson(provider, clean)).toBe(clean)
    expect(Secrets.redactJson(of({}), json)).toBe(json)
  })

  it("takes hardly longer with a thousand secrets than with ten", () => {
    const text = Array.from(
      { length: 20_000 },
      (_, index) => `line ${index} of some output, sk-proj-${index};`
    ).join("\n")
    const timed = (count: number) => {
      const values = Array.from({ length: count }, (_, index) => `sk-proj-${(index * 7919) ** 3}-${index}`)
      const provider = given(named(values))
      provider.redact("warm up")
      const begun = performance.now()
      provider.redact(text)
      provider.redact(text)
      return performance.now() - begun
    }
    timed(10)
    const [few, many] = [timed(10), timed(1000)]
    expect(many).toBeLessThan(8 * few + 200)
  })
})

describe("a log without secrets", () => {
  const read = (log: EventLog.Service) => Effect.map(Stream.runCollect(log.read({})), (all) => [...all])

  it.effect("records every kind of event so that it is one, and no secret in any free text", () =>
    Effect.gen(function* () {
      const log = yield* EventLog.EventLog
      const isEvent = Schema.is(Event)
      // Every text of four letters that an event has is a secret: the worst that can be.
      const words = new Set<string>()
      for (const event of kindsOfEvents) {
        for (const [word] of JSON.stringify(event).matchAll(/[A-Za-z-]{4,}/g)) words.add(word)
      }
      const provider = given(Object.fromEntries([...words].map((word, index) => [String(index), word])))
      const wrapped = EventLog.withoutSecrets(log, provider)
      for (const event of kindsOfEvents) {
        const [entry] = yield* wrapped.append(logId, [event])
        expect(entry?.event._tag).toBe(event._tag)
        expect([event._tag, isEvent(entry?.event)]).toEqual([event._tag, true])
      }
    }).pipe(Effect.provide(EventLog.layerMemory))
  )

  it.effect("gives events on as they are while nothing was given", () =>
    Effect.gen(function* () {
      const log = yield* EventLog.EventLog
      const provider = of({ k: "RunStarted" })
      const event = { _tag: "RunStarted" } as const
      const [first] = yield* EventLog.withoutSecrets(log, provider).append(logId, [event])
      expect(first?.event).toBe(event)
    }).pipe(Effect.provide(EventLog.layerMemory))
  )

  /** A plane whose log has no secrets. */
  const plane = (provider: Secrets.Provider) =>
    ControlPlane.layer().pipe(
      Layer.provideMerge(Distributor.layerDirect),
      Layer.provideMerge(Orchestrator.layer),
      Layer.provideMerge(
        Layer.mergeAll(
          Layer.effect(
            EventLog.EventLog,
            Effect.map(EventLog.EventLog, (log) => EventLog.withoutSecrets(log, provider))
          ).pipe(Layer.provide(EventLog.layerMemory)),
          AgentRegistry.layerMemory(),
          WorkspaceService.layerMemory()
        )
      )
    )

  it.effect("keeps what an agent says of a secret out of events, results, errors and later steps", () => {
    const value = "hunter2!"
    const provider = of({ PASSWORD: value })
    const received: Array<unknown> = []
    const chatty = Agent.make("chatty", {
      capabilities: [{ skill: "chat" }],
      run: ({ permissions }) =>
        Stream.unwrap(
          Effect.map(Effect.orDie(provider.get("PASSWORD")), (password) => {
            const text = Redacted.value(password)
            return Stream.make(
              Agent.progress({ message: `using ${text}` }),
              Agent.output({ [text]: [`it is ${text}`] })
            ).pipe(
              Stream.concat(
                Stream.drain(Stream.fromEffect(Effect.ignore(permissions.require("Network", `send ${text}`))))
              )
            )
          })
        )
    })
    const failing = Agent.make("failing", {
      capabilities: [{ skill: "fail" }],
      run: ({ input }) => {
        received.push(input)
        return Agent.fail(`wrong password ${Buffer.from(value).toString("base64")} for ${value}`)
      }
    })
    const workflow = Workflow.make("w", { permissions: [] }).pipe(
      Workflow.step("one", { skill: "chat" }),
      Workflow.step("two", { skill: "fail", after: ["one"], input: "{{ steps.one.output }}" })
    )
    return Effect.gen(function* () {
      const registry = yield* AgentRegistry.AgentRegistry
      for (const each of [chatty, failing]) yield* registry.register(each)
      const { registerRun } = yield* ControlPlane.ControlPlane
      const result = yield* (yield* registerRun({ workflow })).result
      const leaky = yield* registerRun({ workflow, params: { token: value }, owner: value, tags: [value] })
      yield* leaky.result
      const workspace = yield* (yield* WorkspaceService.WorkspaceService).get(leaky.runId)
      const all = JSON.stringify([yield* read(yield* EventLog.EventLog), result, workspace.config])
      expect(isIn(all, [value, Buffer.from(value).toString("base64")])).toEqual([])
      expect(all.match(/\[secret PASSWORD\]/g)?.length).toBeGreaterThan(10)
      expect(result.failure?.message).toBe("wrong password [secret PASSWORD] for [secret PASSWORD]")
      expect(received[0]).toEqual({ "[secret PASSWORD]": ["it is [secret PASSWORD]"] })
      expect(all).toContain('"reason":"send [secret PASSWORD]"')
    }).pipe(Effect.provide(plane(provider)))
  })
})
