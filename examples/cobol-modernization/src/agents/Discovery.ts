import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parse } from "../SourceTree.js"
import { asJson, attempt, decode, refused, type Sources } from "./Task.js"

const Input = Schema.Struct({ source: Schema.String })

/**
 * Finds the COBOL files of a directory. What is not a copybook is to be analysed, files that cannot be read among them:
 * there they become failed items with a reason.
 */
export const discovery = (sources: Sources): Agent.Agent =>
  Agent.make("cobol-scout", {
    capabilities: [{ skill: "cobol-discovery", outputTypes: ["inventory"] }],
    metadata: { description: "Finds COBOL programs and copybooks below a directory" },
    run: (task) =>
      Effect.gen(function* () {
        const { source } = yield* decode(Input, task)
        const tree = yield* attempt(() => sources(task.runId, source))
        if (tree.entries.size === 0) {
          return yield* refused(
            `${source} holds no COBOL file (.cbl, .cob, .cpy and the like); choose another directory`
          )
        }
        const programs: Array<string> = []
        const copybooks: Array<string> = []
        for (const { path, source } of tree.entries.values()) {
          const isCopybook = source._tag === "Source" && parse(tree, source)._tag === "CopyBook"
          ;(isCopybook ? copybooks : programs).push(path)
        }
        return asJson({ files: tree.entries.size, programs, copybooks })
      })
  })
