import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Health } from "../Agent.js"
import type { Slot } from "./agentSlot.js"
import type { Attendance } from "./registrations.js"

/** How agents are asked how they are; times in milliseconds. */
export interface ProbePolicy {
  readonly intervalMillis: number
  /** Each wait is shortened by a random part of up to this share, so that agents are not asked all at once. */
  readonly jitter: number
  readonly timeoutMillis: number
}

/** What a probe says; one that breaks, is interrupted or does not answer says that the agent is unhealthy. */
export const ask = (probe: Effect.Effect<Health>, timeoutMillis: number): Effect.Effect<Health> =>
  probe.pipe(
    Effect.timeoutOption(timeoutMillis),
    Effect.map(
      Option.getOrElse(
        (): Health => ({ _tag: "Unhealthy", error: `its probe did not answer within ${timeoutMillis} ms` })
      )
    ),
    Effect.catchAllCause((cause) => {
      const error = Cause.squash(cause)
      const reason = error instanceof Error ? error.message : String(error)
      return Effect.succeed<Health>({ _tag: "Unhealthy", error: `its probe broke: ${reason}` })
    })
  )

/** Nobody is asked but on demand. */
export const onDemand: Attendance = { came: () => Effect.void, went: () => Effect.void }

/** Asks every agent that has a probe, again and again, in a fiber each that ends with the scope or when the agent goes. */
export const makeProbing = (policy: ProbePolicy, told: (slot: Slot, health: Health) => void) =>
  Effect.map(FiberMap.make<Slot>(), (fibers): Attendance => {
    const { intervalMillis, jitter, timeoutMillis } = policy
    const went = (slot: Slot) => FiberMap.remove(fibers, slot)
    const asking = (slot: Slot, probe: Effect.Effect<Health>) => {
      const once = Effect.map(ask(probe, timeoutMillis), (health) => told(slot, health))
      const wait = Effect.flatMap(Random.next, (random) =>
        Effect.sleep(intervalMillis * (1 - jitter * random))
      )
      // The first ones are soon, since what an earlier host saw may have passed, but spread as well.
      const first = Effect.flatMap(Random.next, (random) => Effect.sleep((intervalMillis / 10) * random))
      return Effect.zipRight(first, Effect.forever(Effect.zipRight(once, wait)))
    }
    return {
      came: (slot) => {
        const { probe } = slot.agent
        return probe === undefined
          ? went(slot)
          : Effect.asVoid(FiberMap.run(fibers, slot, asking(slot, probe)))
      },
      went
    }
  })
