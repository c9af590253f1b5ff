import type { Definition } from "@switchyard/core/Workflow"
import * as Workflow from "@switchyard/core/Workflow"

/** Which steps a step waits for, by their numbers, in each shape. */
export const shapes = {
  chain: (n: number) => (n === 0 ? [] : [n - 1]),
  diamonds: (n: number) => (n === 0 ? [] : n % 3 === 0 ? [n - 2, n - 1] : [n - (n % 3)]),
  "fan-out": (n: number) => (n === 0 ? [] : [0]),
  "100 wide": (n: number) => (n < 100 ? [] : [n - 100])
} as const

/** The shapes by their names. */
export type Shape = keyof typeof shapes

/** A workflow of so many steps, each of which may be given the output of the first one that it waits for. */
export const graphOf = (shape: Shape, steps: number, expressions: boolean): Definition => ({
  name: `${shape} of ${steps}`,
  steps: Array.from({ length: steps }, (_, n) => {
    const after = shapes[shape](n)
    const input = after[0] === undefined ? "{{ run.id }}" : `{{ steps.s${after[0]}.output }}`
    return Workflow.stepDefinition(`s${n}`, {
      skill: "work",
      after: after.map((each) => `s${each}`),
      ...(expressions ? { input } : {})
    })
  })
})
