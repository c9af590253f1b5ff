import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { buildGraph } from "../cobol/Graph.js"
import type { ProgramSummary } from "../cobol/ProgramSummary.js"
import { NameScope, programClassName } from "../java/JavaName.js"
import { asJson, decode } from "./Task.js"

const Input = Schema.Array(Schema.Array(Schema.Unknown))

/** Draws the call and copy graph, and says in which order the programs are to be moved: callees first. */
export const mapping: Agent.Agent = Agent.make("dependency-mapper", {
  capabilities: [
    { skill: "dependency-mapping", inputTypes: ["program-summary"], outputTypes: ["dependency-graph"] }
  ],
  metadata: { description: "Builds the graph of calls and copies and the order of migration" },
  run: (task) =>
    Effect.gen(function* () {
      const summaries = (yield* decode(Input, task)).flat() as ReadonlyArray<ProgramSummary>
      const graph = buildGraph(summaries)
      const place = new Map(graph.order.flat().map((name, index) => [name, index]))
      const names = new NameScope()
      const programs = summaries
        .filter(({ within }) => within === undefined)
        .sort((a, b) => (place.get(a.name) ?? 0) - (place.get(b.name) ?? 0) || (a.path < b.path ? -1 : 1))
        .map(({ name, path }) => ({ name, path, className: names.claim(programClassName(name)) }))
      return asJson({ programs, graph })
    })
})
