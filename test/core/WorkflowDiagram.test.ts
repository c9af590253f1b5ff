import { readFileSync } from "node:fs"
import { compileFunction } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import * as Plan from "@switchyard/core/Plan"
import * as Run from "@switchyard/core/Run"
import * as Workflow from "@switchyard/core/Workflow"
import * as WorkflowDiagram from "@switchyard/core/WorkflowDiagram"
import * as WorkflowEdit from "@switchyard/core/WorkflowEdit"
import * as Effect from "effect/Effect"
import ts from "typescript"

const release = Workflow.make('nightly "release"').pipe(
  Workflow.step("build", { skill: "build", forEach: "{{ params.targets }}" }),
  Workflow.step("sizes", {
    map: { over: "{{ steps.build.output }}", value: "{{ item.size }}" },
    after: ["build"]
  }),
  Workflow.step("total", {
    reduce: { over: "{{ steps.sizes.output }}", initial: 0, value: "{{ acc + item }}" },
    after: ["sizes"]
  }),
  Workflow.step("ask", {
    approval: { message: "Ship it?", approvers: ["ann", "bob"] },
    after: ["total"],
    when: "steps.total.output > 1000"
  }),
  Workflow.step("night", { wait: { millis: 5_400_000 }, after: ["ask"], join: "noneFailed" }),
  Workflow.step("ship", { agent: "shipper", after: ["night", "build"] })
)

const statuses = new Map<string, Run.StepStatus>([
  ["build", "Succeeded"],
  ["sizes", "Succeeded"],
  ["total", "Failed"],
  ["ask", "Skipped"]
])

const lines = (text: string) => text.split("\n")

/** A workflow of one step. */
const single = (options: Workflow.StepOptions): Workflow.Definition => ({
  name: "one",
  steps: [Workflow.stepDefinition("one", options)]
})

describe("a Mermaid picture", () => {
  it("has a node for each step with what it does, and an arrow for each dependency", () => {
    expect(lines(WorkflowDiagram.toMermaid(release))).toEqual([
      "flowchart TB",
      '  s_build["build<br/>skill build<br/>for each of #123;#123; params.targets #125;#125;"]',
      '  s_sizes[/"sizes<br/>map #123;#123; steps.build.output #125;#125;"/]',
      '  s_total[\\"total<br/>reduce #123;#123; steps.sizes.output #125;#125;"/]',
      '  s_ask{{"ask<br/>approval by ann, bob<br/>when steps.total.output #62; 1000"}}',
      '  s_night(["night<br/>wait 1h 30m<br/>join noneFailed"])',
      '  s_ship["ship<br/>agent shipper"]',
      "  s_build --> s_sizes",
      "  s_sizes --> s_total",
      "  s_total -.-> s_ask",
      "  s_ask --> s_night",
      "  s_night --> s_ship",
      "  s_build --> s_ship",
      ""
    ])
  })

  it("says where each step stands by a sign and a word, and by a colour beside them", () => {
    const text = lines(WorkflowDiagram.toMermaid(release, { direction: "right", state: statuses }))
    expect(text[0]).toBe("flowchart LR")
    expect(text[1]).toContain('"build<br/>✓ Succeeded<br/>skill build')
    expect(text[3]).toContain("total<br/>✗ Failed<br/>")
    expect(text[4]).toContain("ask<br/>↷ Skipped<br/>")
    expect(text[5]).toContain('"night<br/>wait')
    expect(text.slice(13)).toEqual([
      "  classDef succeeded fill:#dcfce7,stroke:#15803d,color:#18181b",
      "  classDef failed fill:#fee2e2,stroke:#b91c1c,color:#18181b",
      "  classDef skipped fill:#fafafa,stroke:#71717a,color:#18181b,stroke-dasharray:4 3",
      "  class s_build,s_sizes succeeded",
      "  class s_total failed",
      "  class s_ask skipped",
      ""
    ])
  })

  it.effect("is the same of a definition, a plan and a workflow", () =>
    Effect.gen(function* () {
      const plan = yield* Plan.make(release.definition)
      expect(WorkflowDiagram.toMermaid(plan)).toBe(WorkflowDiagram.toMermaid(release))
      expect(WorkflowDiagram.toMermaid(release.definition)).toBe(WorkflowDiagram.toMermaid(release))
    })
  )

  it("takes the statuses of a run", () => {
    const pending = { ...Run.pendingStep(), status: "Running" as const }
    const state = { steps: new Map([["build", pending]]) }
    expect(WorkflowDiagram.toMermaid(release, { state })).toContain("build<br/>▶ Running<br/>")
  })

  it("draws what a step waits for and is not there", () => {
    const text = WorkflowDiagram.toMermaid({
      name: "w",
      steps: [Workflow.stepDefinition("a", { skill: "s", after: ["fetsh"] })]
    })
    expect(text).toContain('  s_fetsh>"fetsh<br/>there is no such step"]')
    expect(text).toContain("  s_fetsh --> s_a")
  })

  const said: ReadonlyArray<readonly [string, Workflow.StepOptions]> = [
    ["wait until 2027-03-01T00:00:00.000Z", { wait: { until: Date.UTC(2027, 2, 1) } }],
    ["wait until 9e+15", { wait: { until: 9e15 } }],
    ["wait until tomorrow", { wait: { until: "tomorrow" } }],
    ["wait for the signal go", { wait: { signal: "go" } }],
    ["approval", { approval: {} }],
    ["map 1 element", { map: { over: [1], value: 1 } }],
    ["reduce 2 elements", { reduce: { over: [1, 2], initial: 0, value: 1 } }],
    ["skill unknown", {}]
  ]
  it.each(said)("says: %s", (text, options) => {
    const dot = WorkflowDiagram.toDot(single(options))
    expect(dot.replace("9000000000000000", "9e+15")).toContain(`label="one\\n${text}"`)
  })

  it("cuts long texts off between characters, and joins lines", () => {
    const text = WorkflowDiagram.toDot(single({ skill: `a\n\tb${"🎉".repeat(70)}` }))
    expect(text).toContain(`label="one\\nskill a b${"🎉".repeat(50)}…"`)
    expect(WorkflowDiagram.toDot(single({ skill: `x${" ".repeat(10_000)}y` }))).toContain('skill x…"')
    expect(WorkflowDiagram.toDot(single({ skill: "\u202Eevil\u0000\uD800" }))).toContain(
      'skill \uFFFDevil\uFFFD\uFFFD"'
    )
  })
})

describe("a Graphviz picture", () => {
  it("has the same content", () => {
    expect(lines(WorkflowDiagram.toDot(release, { state: statuses }))).toEqual([
      'digraph "nightly \\"release\\"" {',
      "  rankdir=TB",
      '  node [fontname="Helvetica,Arial,sans-serif", fontcolor="#18181b"]',
      '  "build" [label="build\\n✓ Succeeded\\nskill build\\nfor each of {{ params.targets }}", shape=box, peripheries=2, style=filled, fillcolor="#dcfce7", color="#15803d", class=succeeded]',
      '  "sizes" [label="sizes\\n✓ Succeeded\\nmap {{ steps.build.output }}", shape=parallelogram, style=filled, fillcolor="#dcfce7", color="#15803d", class=succeeded]',
      '  "total" [label="total\\n✗ Failed\\nreduce {{ steps.sizes.output }}", shape=invtrapezium, style=filled, fillcolor="#fee2e2", color="#b91c1c", class=failed]',
      '  "ask" [label="ask\\n↷ Skipped\\napproval by ann, bob\\nwhen steps.total.output > 1000", shape=hexagon, style="filled,dashed", fillcolor="#fafafa", color="#71717a", class=skipped]',
      '  "night" [label="night\\nwait 1h 30m\\njoin noneFailed", shape=ellipse]',
      '  "ship" [label="ship\\nagent shipper", shape=box]',
      '  "build" -> "sizes"',
      '  "sizes" -> "total"',
      '  "total" -> "ask" [style=dashed]',
      '  "ask" -> "night"',
      '  "night" -> "ship"',
      '  "build" -> "ship"',
      "}",
      ""
    ])
    expect(WorkflowDiagram.toDot(release, { direction: "right" })).toContain("rankdir=LR")
  })

  it("of ten thousand steps has all of them, in both languages", () => {
    const steps = Array.from({ length: 10_000 }, (_, n) =>
      Workflow.stepDefinition(`step-${n}`, {
        skill: "code-review",
        input: "{{ params.x }}",
        ...(n < 3
          ? {}
          : { after: [`step-${n - 1}`, `step-${n - 3}`], when: `steps["step-${n - 1}"].output > ${n}` })
      })
    )
    const state = new Map(steps.map(({ id }) => [id as string, "Succeeded" as const]))
    const definition: Workflow.Definition = { name: "large", steps }
    for (const print of [WorkflowDiagram.toMermaid, WorkflowDiagram.toDot]) {
      const text = print(definition, { state })
      expect(text.length).toBeGreaterThan(1_000_000)
      expect(text.split("\n").length).toBeGreaterThan(20_000)
    }
  })
})

describe("the picture in the guide", () => {
  const guide = readFileSync(new URL("../../docs/guide.md", import.meta.url), "utf8")
  const [, code = "", picture] =
    /```ts\n((?:(?!```)[\s\S])*?WorkflowDiagram[\s\S]*?)```\s+```mermaid\n([\s\S]*?)```/.exec(guide) ?? []

  it.effect("is what the code above it gives", () =>
    Effect.gen(function* () {
      const modules: Readonly<Record<string, unknown>> = {
        "@switchyard/core/Workflow": Workflow,
        "@switchyard/core/WorkflowDiagram": WorkflowDiagram,
        "@switchyard/core/WorkflowEdit": WorkflowEdit,
        "effect/Effect": Effect
      }
      const { outputText } = ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS } })
      const exported: { readonly picture?: Effect.Effect<string, WorkflowEdit.EditError> } = {}
      compileFunction(outputText, ["require", "exports"])((name: string) => modules[name], exported)
      expect(yield* exported.picture ?? Effect.succeed("")).toBe(picture)
    })
  )
})
