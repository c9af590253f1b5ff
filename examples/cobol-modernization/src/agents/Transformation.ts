import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ParsedProgram, Program } from "../cobol/Ast.js"
import { javaClass } from "../java/JavaClass.js"
import { javaPath } from "../java/JavaProject.js"
import { runtimeFile } from "../java/Runtime.js"
import { sourceLines } from "../java/SourceText.js"
import { parse, type SourceTree } from "../SourceTree.js"
import { asJson, attempt, decode, refused, type Sources } from "./Task.js"

/** The package of everything that is generated. */
export const packageName = "modernized"

/** What a transformation is asked for: one program of one file, and the name its class is to have. */
export const TransformationInput = Schema.Struct({
  source: Schema.String,
  program: Schema.Struct({ name: Schema.String, path: Schema.String, className: Schema.String })
})

/** The program that a transformation is about, parsed, with the text of its file. */
export const findProgram = (
  tree: SourceTree,
  wanted: { readonly name: string; readonly path: string }
): Effect.Effect<{ readonly program: Program; readonly text: string }, Agent.AgentError> =>
  Effect.suspend(() => {
    const entry = tree.entries.get(wanted.path)
    if (entry === undefined || entry.source._tag !== "Source")
      return refused(`${wanted.path} cannot be read any more`)
    const result = parse(tree, entry.source)
    const programs = result._tag === "Parsed" ? programsOf(result) : []
    const program = programs.find(({ name }) => name === wanted.name)
    return program === undefined
      ? refused(`${wanted.path} has no program ${wanted.name} any more`)
      : Effect.succeed({ program, text: entry.source.text })
  })

const programsOf = (parsed: ParsedProgram): ReadonlyArray<Program> => [parsed.program, ...parsed.others]

/** Writes a generated class and the runtime it relies on to the outputs of the run. */
export const writeJava = (task: Agent.Task, className: string, source: string) => {
  const runtime = runtimeFile(packageName)
  const write = (fileName: string, content: string) =>
    Effect.mapError(
      task.workspace.write("outputs", `java/${javaPath(packageName, fileName)}`, content),
      (error) => new Agent.AgentError({ kind: "Failed", reason: error.message })
    )
  return Effect.zipRight(write(runtime.fileName, runtime.source), write(`${className}.java`, source))
}

/** Translates a program by rules: every statement is Java, or a marked comment with its source line. */
export const transformation = (sources: Sources): Agent.Agent =>
  Agent.make("java-translator", {
    capabilities: [{ skill: "java-generation", inputTypes: ["cobol"], outputTypes: ["java"] }],
    metadata: { description: "Translates COBOL to Java by rules, without a model" },
    run: (task) =>
      Effect.gen(function* () {
        const { program: wanted, source } = yield* decode(TransformationInput, task)
        const tree = yield* attempt(() => sources(task.runId, source))
        const { program } = yield* findProgram(tree, wanted)
        const texts = new Map(
          [...tree.entries.values()].flatMap(({ path, source }) =>
            source._tag === "Source" ? [[path, source.text] as const] : []
          )
        )
        const { className } = wanted
        const generated = javaClass(program, { packageName, className, sourceLine: sourceLines(texts) })
        const file = yield* writeJava(task, className, generated.source)
        return asJson({
          program: wanted.name,
          className,
          file,
          by: "rules",
          statistics: generated.statistics
        })
      })
  })
