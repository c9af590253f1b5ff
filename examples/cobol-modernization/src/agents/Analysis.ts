import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { analyse } from "../cobol/ProgramSummary.js"
import { parse } from "../SourceTree.js"
import { asJson, attempt, decode, refused, type Sources } from "./Task.js"

const Input = Schema.Struct({ source: Schema.String, path: Schema.String })

/** Reads one file: structure, data, calls and metrics of the programs in it. */
export const analysis = (sources: Sources): Agent.Agent =>
  Agent.make("cobol-analyst", {
    capabilities: [{ skill: "cobol-analysis", inputTypes: ["cobol"], outputTypes: ["program-summary"] }],
    metadata: { description: "Parses a COBOL program and describes its structure" },
    run: (task) =>
      Effect.gen(function* () {
        const { path, source: directory } = yield* decode(Input, task)
        const tree = yield* attempt(() => sources(task.runId, directory))
        const entry = tree.entries.get(path)
        if (entry === undefined) return yield* refused(`${path} is not below ${directory} any more`)
        if (entry.source._tag === "UnreadableSource") {
          return yield* refused(`${entry.source.message} ${entry.source.hint}`)
        }
        const { source } = entry
        return Stream.concat(
          Stream.make(Agent.progress({ progress: 0.1, message: `parsing ${source.lines} lines` })),
          Stream.fromEffect(
            Effect.suspend(() => {
              const result = parse(tree, source)
              if (result._tag === "NotCobol") return refused(result.reason)
              if (result._tag === "CopyBook") return refused(`${path} is a copybook, not a program`)
              return Effect.succeed(Agent.output(asJson(analyse(result))))
            })
          )
        )
      }).pipe(Stream.unwrap)
  })
