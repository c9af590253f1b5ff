import * as Effect from "effect/Effect"
import type { EventOf, Failure } from "../Event.js"
import * as Params from "../Params.js"
import type { Plan } from "../Plan.js"
import type { Child } from "./childItems.js"
import { pinnedHash } from "./pinnedHash.js"
import { registration } from "./registration.js"

/** An error as the failure of an item. */
export const failureFrom = (error: { readonly _tag: string; readonly message: string }): Failure => ({
  kind: error._tag,
  message: error.message
})

/** The registration of a run that is an item of another one, by the plan of its workflow. */
export const childRegistration = (
  { definition }: Plan,
  { owner, params, parent, permissions, tags }: Child
): Effect.Effect<EventOf<"RunRegistered">, Params.InvalidParams> =>
  Effect.map(Params.check(definition, undefined, params), (checked) =>
    registration(definition, {
      params: checked,
      owner,
      tags,
      parent,
      permissions,
      hash: pinnedHash(definition)
    })
  )
