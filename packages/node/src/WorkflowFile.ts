import { resolve } from "node:path"
import * as Plan from "@switchyard/core/Plan"
import type { Definition } from "@switchyard/core/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { printYaml } from "./internal/printYaml.js"
import * as SourceFile from "./internal/sourceFile.js"
import { withFiles } from "./internal/workflowFiles.js"

export type { Format } from "./internal/sourceFile.js"
export { jsonSchema } from "./internal/workflowSchema.js"

/**
 * One thing that is wrong in a file: the path of the part, such as `steps[2].after[0]`, where that is written, which rule,
 * what to do about it. Lines and columns begin at 1; a column is one UTF-16 unit. A part that is not there is where the
 * nearest part around it is.
 */
export const FileProblem = Schema.Struct({
  path: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  rule: Schema.Union(
    Plan.Problem.fields.rule,
    Schema.Literal("syntax", "tag", "alias", "merge", "document", "file")
  ),
  message: Schema.String
})
export type FileProblem = typeof FileProblem.Type

/** A file whose workflow cannot be run, with every problem found in it in the order of the file. */
export class InvalidWorkflowFile extends Schema.TaggedError<InvalidWorkflowFile>()("InvalidWorkflowFile", {
  file: Schema.String,
  problems: Schema.Array(FileProblem)
}) {
  override get message() {
    return SourceFile.listed(`The workflow in ${this.file} cannot be run:`, this.file, this.problems)
  }
}

/** A file that cannot be read, with the reason and what to do about it. */
export class WorkflowFileUnreadable extends Schema.TaggedError<WorkflowFileUnreadable>()(
  "WorkflowFileUnreadable",
  { file: Schema.String, reason: Schema.String }
) {
  override get message() {
    return `The file ${this.file} cannot be read: ${this.reason}`
  }
}

/** What is known about a text beside what it says. */
export interface ParseOptions {
  /** What problems name as the file; `workflow` by default. */
  readonly file?: string
  /** By default JSON where the name of the file ends with `.json`, otherwise YAML. */
  readonly format?: SourceFile.Format
}

const most = 16 * 1024 * 1024

type Rule = FileProblem["rule"]

/** The text of a file as its format understands it. */
const sourceOf = (text: string, { file = "workflow", format }: ParseOptions) =>
  SourceFile.sourceOf(text, { file, subject: "workflow", ...(format === undefined ? {} : { format }) })

type Completed = Effect.Effect<{
  readonly value: unknown
  readonly problems: ReadonlyArray<SourceFile.Wrong<Rule>>
}>

/** The definition that a text holds, once what it refers to is in its place. */
const understand = (
  text: string,
  options: ParseOptions,
  complete: (value: unknown) => Completed
): Effect.Effect<Definition, InvalidWorkflowFile> =>
  Effect.suspend(() => {
    const { file = "workflow" } = options
    const { content, source } = sourceOf(text, options)
    const found = SourceFile.textProblems(source)
    const invalid = (problems: ReadonlyArray<SourceFile.Located<Rule>>) =>
      new InvalidWorkflowFile({ file, problems: SourceFile.placed<Rule>(content, problems) })
    if (source.value === undefined) return Effect.fail(invalid(found))
    return Effect.flatMap(
      complete(SourceFile.withoutSchema(source.value)),
      ({ problems: missing, value }) => {
        const wrong = [...found, ...missing.map((each) => SourceFile.located(source, each))]
        return Effect.matchEffect(Plan.make(value as Definition), {
          onFailure: ({ problems }) => {
            const named = new Set(found.map(({ offset }) => offset))
            const others = problems.map((each) => SourceFile.located(source, each))
            // What is no part of YAML here is no part of a workflow either, which need not be said twice.
            const more = others.filter(({ offset, rule }) => rule !== "unknown" || !named.has(offset))
            return Effect.fail(invalid([...wrong, ...more]))
          },
          onSuccess: ({ definition }) =>
            wrong.length === 0 ? Effect.succeed(definition) : Effect.fail(invalid(wrong))
        })
      }
    )
  })

/**
 * The definition that a text holds, which is known to make a plan. All problems are reported at once, those of the text and
 * those of the workflow, as far as the text can be understood. Texts nested more than 256 levels deep are refused.
 */
export const parse = (
  text: string,
  options: ParseOptions = {}
): Effect.Effect<Definition, InvalidWorkflowFile> =>
  understand(text, options, (value) =>
    withFiles(value, [], () =>
      Effect.fail({
        message: "only a file can name another one; write the workflow here, or read it from a file"
      })
    )
  )

const textOf = (file: string): Effect.Effect<string, WorkflowFileUnreadable> =>
  Effect.mapError(
    SourceFile.textOf(file, most, "workflow"),
    (reason) => new WorkflowFileUnreadable({ file, reason })
  )

const readFrom = (
  file: string,
  trail: ReadonlyArray<string>
): Effect.Effect<Definition, InvalidWorkflowFile | WorkflowFileUnreadable> =>
  Effect.flatMap(textOf(file), (text) =>
    understand(text, { file }, (value) => withFiles(value, [...trail, resolve(file)], readFrom))
  )

/**
 * The definition in a file of UTF-8, YAML or JSON by its name. A `subworkflow` may be the path of another such file, relative
 * to the one that names it, and its workflow stands there in the definition. Files of more than 16 MiB, and what is no file,
 * are refused unread.
 */
export const read = (file: string): Effect.Effect<Definition, InvalidWorkflowFile | WorkflowFileUnreadable> =>
  readFrom(file, [])

/**
 * Where problems of a definition are in the text that it was read from, in the order of the text; for instance those that
 * `ControlPlane.validate` warns of. What is in another file is where that file is named, and all is at the beginning of a
 * text that cannot be read.
 */
export const locate = (
  text: string,
  problems: ReadonlyArray<Plan.Problem>,
  options: ParseOptions = {}
): ReadonlyArray<FileProblem> => {
  const { content, source } = sourceOf(text, options)
  return SourceFile.placed(
    content,
    problems.map((problem) => SourceFile.located(source, problem))
  )
}

/**
 * The text of a definition, which `parse` gives back exactly as it was. YAML is in block style, nothing in it is folded, and
 * texts that look like something else are quoted; JSON is indented by two spaces.
 */
export const print = (definition: Definition, format: SourceFile.Format): string =>
  format === "json" ? `${JSON.stringify(definition, null, 2)}\n` : printYaml(definition)
