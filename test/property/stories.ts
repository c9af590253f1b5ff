import type { ControlCommand } from "@switchyard/core/Command"
import * as fc from "fast-check"
import type { Action, Story } from "./story.js"

const command: fc.Arbitrary<ControlCommand> = fc.oneof(
  fc.constant({ _tag: "Pause", mode: "drain" } as const),
  fc.constant({ _tag: "Pause", mode: "interrupt" } as const),
  fc.constant({ _tag: "Resume" } as const),
  fc.record({ _tag: fc.constant("SetConcurrency" as const), limit: fc.integer({ min: 1, max: 5 }) })
)
const toChild: fc.Arbitrary<Action["act"]> = fc.record({
  _tag: fc.constant("Child" as const),
  nth: fc.nat({ max: 3 }),
  command: fc.constantFrom<ControlCommand>(
    { _tag: "Pause", mode: "drain" },
    { _tag: "Pause", mode: "interrupt" },
    { _tag: "Resume" }
  )
})
const cancel: fc.Arbitrary<ControlCommand> = fc.constant({ _tag: "Cancel" } as const)
const stop = fc.constant({ _tag: "StopHost" } as const)
const answer = fc.constant({ _tag: "Answer" } as const)
const crash: fc.Arbitrary<Action["act"]> = fc.record({
  _tag: fc.constant("Crash" as const),
  kept: fc.nat({ max: 6 })
})

const actions = (act: fc.Arbitrary<Action["act"]>, maxLength: number): fc.Arbitrary<ReadonlyArray<Action>> =>
  fc.array(
    fc.record({
      after: fc.constantFrom(0, 0, 1, 5, 11, 30),
      turns: fc.constantFrom(undefined, undefined, 0, 2, 9),
      act
    }),
    { maxLength }
  )

const syncMillis = fc.constantFrom(undefined, 0, 1, 7)

/** Hosts that live on, with a log that is as slow as it may be. */
const steady = fc.record({ syncMillis, entries: fc.constant(undefined), kept: fc.constant(0) })

/** Hosts that die in the middle of what they do. */
const mortal = fc.record({
  syncMillis,
  entries: fc.oneof(
    { arbitrary: fc.nat({ max: 12 }), weight: 2 },
    { arbitrary: fc.nat({ max: 80 }), weight: 3 },
    { arbitrary: fc.constant(undefined), weight: 1 }
  ),
  kept: fc.nat({ max: 6 })
})

const stories = (
  act: fc.Arbitrary<Action["act"]>,
  mostActions: number,
  life: fc.Arbitrary<Story["lives"][number]>,
  mostLives: number
): fc.Arbitrary<Story> =>
  fc.record({
    actions: actions(act, mostActions),
    lives: fc.array(life, { minLength: 1, maxLength: mostLives }),
    operations: fc.constantFrom(2048, 40),
    slots: fc.integer({ min: 1, max: 3 })
  })

/** What may happen to a workflow, from nothing to everything, and how large a part of all that is drawn it is. */
export const kinds: ReadonlyArray<readonly [name: string, part: number, story: fc.Arbitrary<Story>]> = [
  ["ends as the reference says", 0.15, stories(answer, 2, steady, 1)],
  ["survives any commands", 0.15, stories(fc.oneof(command, toChild, answer), 8, steady, 1)],
  [
    "survives commands and a cancel",
    0.1,
    stories(fc.oneof(command, command, toChild, answer, cancel), 6, steady, 1)
  ],
  ["survives stops of its host", 0.1, stories(fc.oneof(stop, answer), 5, steady, 3)],
  ["survives crashes of its host", 0.3, stories(fc.oneof(crash, answer), 5, mortal, 5)],
  [
    "survives all of them",
    0.2,
    stories(fc.oneof(command, toChild, answer, stop, crash, crash, cancel), 8, mortal, 5)
  ]
]
