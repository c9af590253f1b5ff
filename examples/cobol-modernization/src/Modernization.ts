import type * as Agent from "@switchyard/core/Agent"
import * as Workflow from "@switchyard/core/Workflow"
import * as Schema from "effect/Schema"
import { analysis } from "./agents/Analysis.js"
import { discovery } from "./agents/Discovery.js"
import { documentation } from "./agents/Documentation.js"
import { type Endpoint, languageModel } from "./agents/LanguageModel.js"
import { mapping } from "./agents/Mapping.js"
import { transformation } from "./agents/Transformation.js"
import { validation } from "./agents/Validation.js"
import { makeTreeCache } from "./SourceTree.js"

/** From a directory of COBOL to Java classes and reports; who does each step is found by what it can do. */
export const modernization = Workflow.make("cobol-modernization", {
  description:
    "Reads COBOL, maps its dependencies, translates it to Java, compiles that, and documents it all",
  params: Schema.Struct({ source: Schema.String })
}).pipe(
  Workflow.step("discovery", { skill: "cobol-discovery" }),
  Workflow.step("analysis", {
    skill: "cobol-analysis",
    after: ["discovery"],
    forEach: "{{ steps.discovery.output.programs }}",
    input: { source: "{{ params.source }}", path: "{{ item }}" },
    onItemFailure: "continue"
  }),
  Workflow.step("mapping", {
    skill: "dependency-mapping",
    after: ["analysis"],
    input: "{{ steps.analysis.output }}"
  }),
  Workflow.step("transformation", {
    skill: "java-generation",
    after: ["mapping"],
    forEach: "{{ steps.mapping.output.programs }}",
    label: "{{ item.name }}",
    input: { source: "{{ params.source }}", program: "{{ item }}" },
    onItemFailure: "continue",
    onFailure: "continue",
    retry: { attempts: 2 }
  }),
  Workflow.step("validation", {
    skill: "java-compilation",
    after: ["transformation"],
    onFailure: "continue",
    stepTimeout: "5 minutes"
  }),
  Workflow.step("documentation", {
    skill: "documentation",
    after: ["analysis", "mapping", "transformation", "validation"],
    join: "allSettled",
    when: "steps.mapping.status == 'Succeeded'",
    input: {
      source: "{{ params.source }}",
      summaries: "{{ steps.analysis.output }}",
      graph: "{{ steps.mapping.output.graph }}",
      translations: "{{ steps.transformation.output }}",
      failures: "{{ steps.analysis.items + steps.transformation.items }}",
      compilation: "{{ steps.validation.output }}"
    }
  })
)

/** The agents of this example; with an endpoint a language model translates, and the rules stand in where it fails. */
export const agents = (endpoint: Endpoint | undefined): ReadonlyArray<Agent.Agent> => {
  const sources = makeTreeCache()
  return [
    discovery(sources),
    analysis(sources),
    mapping,
    transformation(sources),
    validation,
    documentation(sources),
    ...(endpoint === undefined ? [] : [languageModel(sources, endpoint)])
  ]
}
