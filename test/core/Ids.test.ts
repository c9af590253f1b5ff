import { describe, expect, it } from "@effect/vitest"
import * as Ids from "@switchyard/core/Ids"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"

const isRunId = Schema.is(Ids.RunId)

describe("ids", () => {
  it.effect("sort by the millisecond in which they were made, and do not collide", () =>
    Effect.gen(function* () {
      const made: Array<string> = []
      for (let i = 0; i < 500; i++) {
        made.push(yield* Ids.generateRunId)
        yield* TestClock.adjust(i % 50 === 0 ? "400 days" : 1)
      }
      expect(made).toEqual([...made].sort())
      const atOnce = yield* Effect.all(Array.from({ length: 1_000 }, () => Ids.generate))
      expect(new Set(atOnce).size).toBe(1_000)
      for (const id of [...made, ...atOnce]) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/)
    })
  )

  it("are safe as the name of a directory", () => {
    for (const id of ["a", "A-1_b.c", "0", "a".repeat(128), "con.stuff"]) expect(isRunId(id), id).toBe(true)
    const bad = [
      "",
      ".",
      "..",
      ".a",
      "-a",
      "a/b",
      "a\\b",
      "a b",
      "a..b",
      "a\0",
      "é",
      "a\n",
      "a".repeat(129),
      "../a",
      "%2e"
    ]
    for (const id of bad) expect(isRunId(id), JSON.stringify(id)).toBe(false)
  })

  it("say what is wrong with a bad one", () => {
    expect(() => Schema.decodeUnknownSync(Ids.StepId)("a b")).toThrow(
      /"a b" is not a valid StepId: use 1 to 128/
    )
  })
})
