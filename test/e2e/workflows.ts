import * as Agent from "@switchyard/core/Agent"
import * as Usage from "@switchyard/core/Usage"
import * as Workflow from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Writes its input into the outputs of its run, and gives it back with a price. */
export const scribe = Agent.make("scribe", {
  capabilities: [{ skill: "write" }],
  run: (task) =>
    Effect.mapBoth(task.workspace.write("outputs", `${task.item}.txt`, String(task.input)), {
      onFailure: Agent.fromUnknown,
      onSuccess: () =>
        Agent.output(task.input, Usage.make({ inputTokens: 10, outputTokens: 1, costUsd: 0.001 }))
    })
})

/** Fails for every item that begins with `bad`. */
export const critic = Agent.make("critic", {
  capabilities: [{ skill: "review" }],
  run: (task) =>
    String(task.input).startsWith("bad")
      ? Agent.fail(`${task.item} is bad`)
      : Effect.succeed(`${task.input}: fine`)
})

/** Writes each word, reviews each word, and ends with what was fine. */
export const words = Workflow.make("words", {
  params: Schema.Struct({ words: Schema.Array(Schema.String) })
}).pipe(
  Workflow.step("write", { skill: "write", forEach: "{{ params.words }}", concurrency: 3 }),
  Workflow.step("review", {
    skill: "review",
    after: ["write"],
    forEach: "{{ steps.write.output }}",
    onItemFailure: "continue"
  }),
  Workflow.step("report", {
    skill: "write",
    after: ["review"],
    input: "{{ run.id }}: {{ steps.review.output }}"
  })
)
