import * as Agent from "@switchyard/core/Agent"
import * as AgentRegistry from "@switchyard/core/AgentRegistry"
import * as Capability from "@switchyard/core/Capability"
import * as Effect from "effect/Effect"
import { measure, type Options, type Row, type Subject } from "./Measure.js"

interface World {
  readonly agents: ReadonlyArray<Agent.Agent>
  readonly queries: ReadonlyArray<Capability.CapabilityQuery>
}

const worldOf = (agents: number, skills: number): World => ({
  agents: Array.from({ length: agents }, (_, index) =>
    Agent.make(`agent-${index}`, {
      capabilities: [
        {
          skill: `skill-${index % skills}`,
          inputTypes: ["text"],
          constraints: { maxFileSize: "10MB", maxConcurrency: 1_000 }
        }
      ],
      run: () => Effect.succeed(null)
    })
  ),
  queries: Array.from({ length: skills }, (_, index) => ({
    requiredSkills: [`skill-${index}`],
    inputType: "text/markdown",
    constraints: { maxFileSize: "3MB" }
  }))
})

const answered = {
  durationMillis: 100,
  usage: { inputTokens: 100, outputTokens: 100, cachedTokens: 0, costMicroUsd: 100 },
  failure: undefined
}

const queryAt = ({ queries }: World, index: number): Capability.CapabilityQuery =>
  queries[index % queries.length] ?? { requiredSkills: [] }

/** What somebody would write who has a list of agents: ask each one, score it, take the best. */
const linear = ({ agents }: World) => {
  const seen = new Map<string, { successes: number; millis: number }>()
  return (query: Capability.CapabilityQuery): Agent.Agent | undefined => {
    let best: Agent.Agent | undefined
    let bestScore = Number.NEGATIVE_INFINITY
    for (const agent of agents) {
      if (Capability.match(agent.capabilities, query)._tag === "Rejected") continue
      const { millis = 0, successes = 0 } = seen.get(agent.id) ?? {}
      const score = (successes + 2) / (successes + 3) + 30_000 / (30_000 + millis / (successes + 1))
      if (score > bestScore) {
        best = agent
        bestScore = score
      }
    }
    if (best !== undefined) {
      const before = seen.get(best.id) ?? { successes: 0, millis: 0 }
      seen.set(best.id, { successes: before.successes + 1, millis: before.millis + 100 })
    }
    return best
  }
}

const subjectsOf = (world: World, quick: boolean): ReadonlyArray<Subject> => {
  const registry = Effect.runSync(AgentRegistry.make(world.agents))
  const times = (count: number, each: (index: number) => Effect.Effect<unknown, unknown>) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let index = 0; index < count; index++) yield* each(index)
      })
    )
  const scale = quick ? 20 : 1
  const many = 20_000 / scale
  // Both take as long as there are agents.
  const few = 200_000 / world.agents.length / scale
  const scan = linear(world)
  return [
    {
      name: "linear scan",
      does: "matches and scores every agent with plain functions, and notes the success of the one that is chosen",
      operations: few,
      run: () => times(few, (index) => Effect.sync(() => scan(queryAt(world, index))))
    },
    {
      name: "selectAgent",
      does: "selects, with nothing changing in between",
      operations: many,
      run: () => times(many, (index) => registry.selectAgent(queryAt(world, index)))
    },
    {
      name: "selectAgent, begin, end",
      does: "selects, announces the attempt and observes its success, which is what an attempt does",
      operations: many,
      run: () =>
        times(many, (index) => {
          const query = queryAt(world, index)
          return Effect.map(registry.selectAgent(query), ({ agent }) =>
            registry.begin(agent.id, query.requiredSkills[0]).end(answered)
          )
        })
    },
    {
      name: "selectAgent, least loaded",
      does: "selects by what agents have under way",
      operations: many,
      run: () =>
        times(many, (index) => registry.selectAgent(queryAt(world, index), { strategy: "least-loaded" }))
    },
    {
      name: "explain",
      does: "ranks every candidate by factor, and says why each other agent is none",
      operations: few,
      run: () => times(few, (index) => registry.explain(queryAt(world, index)))
    }
  ]
}

/** What choosing an agent takes, by how many there are and how many of them have the skill. */
export const selectionSuite = async ({ group, quick, repeats }: Options): Promise<ReadonlyArray<Row>> => {
  const rows: Array<Row> = []
  for (const [agents, skills] of quick
    ? ([[100, 10]] as const)
    : ([
        [1_000, 100],
        [1_000, 1],
        [10_000, 100],
        [10_000, 1]
      ] as const)) {
    const title = `${agents.toLocaleString("en-GB")} agents, ${skills === 1 ? "all with the skill" : `${skills} skills`}`
    if (title.includes(group))
      rows.push(
        ...(await measure(
          "selection",
          title,
          subjectsOf(worldOf(agents, skills), quick),
          quick ? 1 : repeats
        ))
      )
  }
  return rows
}
