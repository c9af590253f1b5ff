import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Graph } from "../cobol/Graph.js"
import type { ProgramSummary } from "../cobol/ProgramSummary.js"
import type { JavacResult } from "../java/Javac.js"
import { parsedEntry, unreadableEntry } from "../report/Inventory.js"
import { reports } from "../report/Reports.js"
import { type Translation, translationReport } from "../report/TranslationReport.js"
import { parse } from "../SourceTree.js"
import { asJson, attempt, decode, type Sources } from "./Task.js"

const Input = Schema.Struct({
  source: Schema.String,
  summaries: Schema.Array(Schema.Array(Schema.Unknown)),
  graph: Schema.Unknown,
  translations: Schema.Array(Schema.Unknown),
  failures: Schema.Array(
    Schema.Struct({ item: Schema.String, status: Schema.String, failure: Schema.Unknown })
  ),
  compilation: Schema.Unknown
})

/** Writes the reports of a run: summary, inventory, graph, plan, translation, and a page for each program. */
export const documentation = (sources: Sources): Agent.Agent =>
  Agent.make("technical-writer", {
    capabilities: [{ skill: "documentation", outputTypes: ["text/markdown"] }],
    metadata: { description: "Writes Markdown reports with the dependency graph and the totals" },
    run: (task) =>
      Effect.gen(function* () {
        const input = yield* decode(Input, task)
        const tree = yield* attempt(() => sources(task.runId, input.source))
        const inventory = [...tree.entries.values()].map(({ source }) =>
          source._tag === "Source" ? parsedEntry(source, parse(tree, source)) : unreadableEntry(source)
        )
        const pages = [
          ...reports(
            inventory,
            input.summaries.flat() as ReadonlyArray<ProgramSummary>,
            input.graph as Graph
          ),
          {
            fileName: "translation.md",
            content: translationReport(
              input.translations as ReadonlyArray<Translation>,
              input.failures.flatMap(({ failure, item, status }) =>
                status === "Failed"
                  ? [{ item, reason: (failure as { readonly message: string }).message }]
                  : []
              ),
              input.compilation as JavacResult | null
            )
          }
        ]
        yield* Effect.forEach(pages, ({ content, fileName }) =>
          Effect.mapError(task.workspace.write("reports", fileName, content), Agent.fromUnknown)
        )
        return asJson(pages.map(({ fileName }) => fileName))
      })
  })
