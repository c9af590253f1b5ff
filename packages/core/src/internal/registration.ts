import type { Budget } from "../Budget.js"
import type { EventOf } from "../Event.js"
import type { Json } from "../Json.js"
import type { Definition } from "../WorkflowDefinition.js"

/** The registration of a run as an event. */
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
  }
): EventOf<"RunRegistered"> => ({
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
  ...(options.hash === undefined ? {} : { hash: options.hash })
})
