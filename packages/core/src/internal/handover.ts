import { isKindOf, malformedType } from "../CapabilityType.js"
import type * as Expression from "../Expression.js"
import type { Json } from "../Json.js"
import type { PlannedStep } from "./planStep.js"
import type { Report } from "./problem.js"

/** A text that is nothing but the output of a step. */
const wholeOutput = /^\{\{\s*steps(\.\w+|\[("[^"]*"|'[^']*')\])\.output\s*\}\}$/

/** A text that is nothing but the item. */
const wholeItem = /^\{\{\s*item\s*\}\}$/

/** The step whose whole output a template gives. */
const sourceOf = (
  given: Json | undefined,
  compiled: Expression.Template | undefined,
  steps: ReadonlyArray<PlannedStep>,
  positions: ReadonlyMap<string, number>
): PlannedStep["definition"] | undefined => {
  if (typeof given !== "string" || !wholeOutput.test(given)) return undefined
  const [, id = ""] = compiled?.references[0] ?? []
  return steps[positions.get(id) ?? -1]?.definition
}

/**
 * Reports steps that are given what another one makes, and take another type: the whole output of a step, or, where both
 * are done item by item, what came of each item; and types that are no JSON Schemas though they should be.
 */
export const checkTypes = (
  steps: ReadonlyArray<PlannedStep>,
  positions: ReadonlyMap<string, number>,
  report: Report
): void => {
  for (const { definition, forEach, index, input } of steps) {
    const { inputType, outputType } = definition
    for (const [name, type] of [["inputType", inputType] as const, ["outputType", outputType] as const]) {
      const wrong = type === undefined ? undefined : malformedType(type)
      if (wrong !== undefined) report(`steps[${index}].${name}`, "type", wrong)
    }
    // Whether all that one JSON Schema allows is allowed by another one cannot always be told.
    if (typeof inputType !== "string") continue
    const mismatch = (from: PlannedStep["definition"] | undefined, isEach: boolean): void => {
      if (typeof from?.outputType !== "string" || isKindOf(from.outputType, inputType)) return
      // What comes of a step with items is a list of what came of each.
      if ((from.forEach !== undefined) !== isEach) return
      report(
        `steps[${index}].inputType`,
        "type",
        `this takes "${inputType}", but "${from.id}" gives "${from.outputType}"; change one of them or put a step between them`
      )
    }
    mismatch(sourceOf(definition.input, input, steps, positions), false)
    const takesItem =
      definition.input === undefined ||
      (typeof definition.input === "string" && wholeItem.test(definition.input))
    if (takesItem) mismatch(sourceOf(definition.forEach, forEach, steps, positions), true)
  }
}
