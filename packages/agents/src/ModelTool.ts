import type { AgentError, Task } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import type { Permission } from "@switchyard/core/Permission"
import { Area, type PathOutsideWorkspace, type WorkspaceError } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A call that did not work, in words for the model, which may try something else; the attempt goes on. */
export class ToolFailure extends Schema.TaggedError<ToolFailure>()("ToolFailure", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/**
 * Something that a model may do while it works on a task. It is offered to a run that grants `tool:<name>` and all that the tool
 * needs, or restricts nothing; any other call is denied, recorded, and answered as an error.
 */
export interface ModelTool {
  /** Up to 64 letters, digits, `_` and `-`. */
  readonly name: string
  /** What it does and when to use it, for the model. */
  readonly description: string
  /** What a call gives to it: an object. */
  readonly parameters: Schema.Schema.AnyNoContext
  readonly needs: ReadonlyArray<Permission>
  /** Does what is asked for by arguments that were checked by `parameters`. */
  readonly handler: (parameters: unknown, task: Task) => Effect.Effect<Json, ToolFailure | AgentError>
}

/** A tool as a host writes it. */
export interface Options<A, I> {
  /** What it does and when to use it, for the model. */
  readonly description: string
  /** What a call gives to it: a struct, whose descriptions the model is told. */
  readonly parameters: Schema.Schema<A, I>
  /** What a run has to grant beside the tool itself; nothing by default. */
  readonly needs?: ReadonlyArray<Permission>
  /**
   * Does what is asked for, for one task. Its result is told to the model as JSON; a `ToolFailure` is told as well, and so is a
   * denied permission; any other `AgentError` ends the attempt. It may be called several times in an attempt, never at once.
   */
  readonly handler: (parameters: A, task: Task) => Effect.Effect<Json, ToolFailure | AgentError>
}

/**
 * A tool from a Schema and a function.
 *
 * @example
 * ```ts
 * import * as ModelTool from "@switchyard/agents/ModelTool"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const add = ModelTool.make("add", {
 *   description: "Adds two numbers.",
 *   parameters: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
 *   handler: ({ a, b }) => Effect.succeed(a + b)
 * })
 * ```
 */
export const make = <A, I>(name: string, options: Options<A, I>): ModelTool => ({
  name,
  description: options.description,
  parameters: options.parameters,
  needs: options.needs ?? [],
  handler: (parameters, task) => options.handler(parameters as A, task)
})

const told = (error: PathOutsideWorkspace | WorkspaceError): ToolFailure =>
  new ToolFailure({ reason: error.message })

const AreaParameter = Area.annotations({
  description:
    "The directory of the workspace: outputs (results), reports, state (what later steps need) or temp."
})

const PathParameter = Schema.String.annotations({
  description: "The path of the file in that directory, such as src/main.ts."
})

/** Reads a file of the workspace as text; the run has to grant `tool:read_file` and `ReadFiles`. */
export const readFile: ModelTool = make("read_file", {
  description: "Reads a text file of the workspace.",
  parameters: Schema.Struct({ area: AreaParameter, path: PathParameter }),
  needs: ["ReadFiles"],
  handler: ({ area, path }, { workspace }) => Effect.mapError(workspace.read(area, path), told)
})

/** Lists the files of a directory of the workspace; the run has to grant `tool:list_files` and `ReadFiles`. */
export const listFiles: ModelTool = make("list_files", {
  description: "Lists the paths of all files in a directory of the workspace and below it.",
  parameters: Schema.Struct({ area: AreaParameter }),
  needs: ["ReadFiles"],
  handler: ({ area }, { workspace }) => Effect.mapError(workspace.list(area), told)
})

/** Writes a file of the workspace, whole and atomically; the run has to grant `tool:write_file` and `WriteFiles`. */
export const writeFile: ModelTool = make("write_file", {
  description: "Writes a text file of the workspace. A file that exists is replaced.",
  parameters: Schema.Struct({
    area: AreaParameter,
    path: PathParameter,
    content: Schema.String.annotations({ description: "All that the file is to hold." })
  }),
  needs: ["WriteFiles"],
  handler: ({ area, content, path }, { workspace }) =>
    Effect.as(Effect.mapError(workspace.write(area, path, content), told), "written")
})

/** The tools for files of the workspace. */
export const workspaceTools: ReadonlyArray<ModelTool> = [readFile, listFiles, writeFile]

/** A call that did not work, in one call. */
export const fail = (reason: string): Effect.Effect<never, ToolFailure> =>
  Effect.fail(new ToolFailure({ reason }))
