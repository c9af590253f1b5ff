import type { Budget } from "../Budget.js"
import type { EventOf } from "../Event.js"
import type { Json } from "../Json.js"
import { attenuate, type Granted } from "../Permission.js"
import type { Definition } from "../WorkflowDefinition.js"

/** What is granted in an order that is always the same, so that two can be compared. */
export const ordered = (granted: Granted): Granted =>
  granted === undefined ? undefined : [...new Set(granted)].sort()

/** The registration of a run as an event; it lets agents do what is granted here and by the workflow. */
export const registration = (
  workflow: Definition,
  options: {
    readonly params?: Json
    readonly concurrency?: number | undefined
    readonly owner?: string | undefined
    readonly tags?: ReadonlyArray<string> | undefined
    readonly budget?: Budget | undefined
    readonly origin?: EventOf<"RunRegistered">["origin"]
    readonly inputs?: EventOf<"RunRegistered">["inputs"]
    readonly parent?: EventOf<"RunRegistered">["parent"]
    readonly hash?: EventOf<"RunRegistered">["hash"]
    readonly permissions?: Granted
  }
): EventOf<"RunRegistered"> => {
  const permissions = ordered(attenuate(options.permissions, workflow.permissions))
  return {
    _tag: "RunRegistered",
    workflow,
    params: options.params === undefined ? {} : options.params,
    tags: options.tags ?? [],
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.owner === undefined ? {} : { owner: options.owner }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...(options.inputs === undefined ? {} : { inputs: options.inputs }),
    ...(options.parent === undefined ? {} : { parent: options.parent }),
    ...(options.hash === undefined ? {} : { hash: options.hash }),
    ...(permissions === undefined ? {} : { permissions })
  }
}
