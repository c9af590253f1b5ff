import * as LanguageModelAgent from "@switchyard/agents/LanguageModelAgent"
import type * as PriceTable from "@switchyard/agents/PriceTable"
import type * as Agent from "@switchyard/core/Agent"
import type { InvalidAgent } from "@switchyard/node/AgentKind"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as ModelServer from "./modelServer.js"

/** Three dollars for a million tokens of input and fifteen for output, whoever serves the model. */
export const prices: PriceTable.PriceTable = [
  {
    provider: "*",
    model: "served",
    prices: { input: 3_000_000, cachedInput: 300_000, cacheWrite: 3_750_000, output: 15_000_000 }
  }
]

/** The key that agents send, which must not show anywhere else. */
export const key = "sk-very-secret-0123456789"

/** Every protocol that models are asked by. */
export const protocols: ReadonlyArray<ModelServer.Protocol> = ["chat", "responses", "messages"]

/** An agent of the model that a server plays, which waits half a second for it. */
export const agentOf = (
  protocol: ModelServer.Protocol,
  url: string,
  options: Partial<LanguageModelAgent.AccessOptions> = {}
): Effect.Effect<Agent.Agent, InvalidAgent> => {
  const given = {
    capabilities: [{ skill: "write" }],
    model: "served",
    apiKey: Redacted.make(key),
    prices,
    stallTimeout: "500 millis",
    ...options
  } as const
  return protocol === "messages"
    ? LanguageModelAgent.anthropic("writer", { ...given, baseUrl: url })
    : LanguageModelAgent.openAi("writer", { ...given, baseUrl: `${url}/v1`, api: protocol })
}

/** Lets a test play the other side of an agent. */
export const withServer = <A, E>(
  use: (server: ModelServer.ModelServer) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E> => Effect.scoped(Effect.flatMap(ModelServer.make, use))
