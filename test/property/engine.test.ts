import { setImmediate } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { kinds } from "./stories.js"
import { check } from "./story.js"
import { workflows } from "./workflows.js"

/** How many workflows are drawn in all, and the seed where it is to be the same again. */
const { SWITCHYARD_SEED, SWITCHYARD_WORKFLOWS = "2000" } = process.env

describe("any workflow", () => {
  for (const [name, part, story] of kinds) {
    const numRuns = Math.ceil(part * Number(SWITCHYARD_WORKFLOWS))
    const property = fc.asyncProperty(workflows, story, fc.integer(), async (spec, story, seed) => {
      // Whoever runs the tests has to hear of them from time to time.
      await setImmediate()
      expect(check(spec, story, seed).join("\n")).toBe("")
    })
    const seed = SWITCHYARD_SEED === undefined ? {} : { seed: Number(SWITCHYARD_SEED) }
    it(name, () => fc.assert(property, { numRuns, endOnFailure: false, ...seed }), 60_000 + 100 * numRuns)
  }
})
