import { ControlPlane, type RegisterError } from "@switchyard/core/ControlPlane"
import type { LogWriteFailed } from "@switchyard/core/EventLog"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The batch of a host: every document is summarised on its own, and one that cannot be does not stop the others. */
export const nightly = Workflow.make("nightly", {
  params: Schema.Struct({ documents: Schema.Array(Schema.String) })
}).pipe(
  Workflow.step("summarise", {
    skill: "summarise",
    forEach: "{{ params.documents }}",
    onItemFailure: "continue",
    retry: { attempts: 2, initial: "1 second", jitter: 0 }
  })
)

/** Code of a host: runs the batch and says in one line how it went. It knows the control plane only as a service. */
export const runNightly = (
  documents: ReadonlyArray<string>
): Effect.Effect<string, RegisterError | LogWriteFailed, ControlPlane> =>
  Effect.gen(function* () {
    const plane = yield* ControlPlane
    const run = yield* plane.registerRun({ workflow: nightly, params: { documents } })
    const { status, summary } = yield* run.result
    return `${status}: ${summary.items.succeeded} done, ${summary.items.failed} failed`
  })
