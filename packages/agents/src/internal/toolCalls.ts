import type { AgentError, Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import type { Permission } from "@switchyard/core/Permission"
import * as Effect from "effect/Effect"
import type { ModelTool } from "../ModelTool.js"
import { catchAll } from "./compat.js"
import { decodeBy } from "./contract.js"
import { cutMiddle, type ToolAnswer, type ToolCall } from "./dialogue.js"

/** The permission for a tool; a model may call one by any name, and a permission has no blanks. */
const permissionOf = (name: string): Permission => `tool:${name.replace(/\s+/g, "_") || "_"}`

/** The tools that a run lets a model call. */
export const allowedOf = (tools: ReadonlyArray<ModelTool>, { permissions }: Task): ReadonlyArray<ModelTool> =>
  tools.filter(({ name, needs }) => [permissionOf(name), ...needs].every(permissions.allows))

const bounded = (result: Json, most: number): Json => {
  const text = typeof result === "string" ? result : JSON.stringify(result)
  return text.length <= most ? result : cutMiddle(text, most)
}

/**
 * Does what a model asks for, and says what came of it. What the run does not allow is recorded as denied; whatever a model can do
 * something about is an answer, and only an error of the tool itself ends the attempt.
 */
export const callTool = (
  tools: ReadonlyArray<ModelTool>,
  task: Task,
  mostCharacters: number,
  { id, name, params }: ToolCall
): Effect.Effect<ToolAnswer, AgentError> => {
  const answer = (result: Json, isFailure: boolean): ToolAnswer => ({ id, name, result, isFailure })
  const failed = (reason: string) => Effect.succeed(answer({ error: reason }, true))
  return Effect.gen(function* () {
    const tool = tools.find((each) => each.name === name)
    for (const each of [permissionOf(name), ...(tool?.needs ?? [])])
      yield* task.permissions.require(each, `its model called the tool "${name}"`)
    if (tool === undefined) {
      const known = allowedOf(tools, task).map((each) => each.name)
      return yield* failed(`there is no tool "${name}"; there is ${known.join(", ") || "none"}`)
    }
    return yield* decodeBy(tool.parameters)(params).pipe(
      Effect.matchEffect({
        onFailure: (problems) => failed(`the arguments are not what "${name}" takes: ${problems}`),
        onSuccess: (parameters) =>
          Effect.map(tool.handler(parameters, task), (result) =>
            answer(bounded(result, mostCharacters), false)
          )
      })
    )
  }).pipe(
    catchAll((error) =>
      error._tag === "ToolFailure" || error.kind === "PermissionDenied"
        ? failed(error.message)
        : Effect.fail(error)
    )
  )
}
