import type { PromptResponse } from "@agentclientprotocol/sdk"
import { type Progress, progress } from "@switchyard/core/Agent"
import * as Usage from "@switchyard/core/Usage"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const maybe = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.NullishOr(schema), { exact: true })

const ToolUpdate = Schema.Struct({
  sessionUpdate: Schema.Literal("tool_call", "tool_call_update"),
  toolCallId: Schema.String,
  title: maybe(Schema.String),
  name: maybe(Schema.String),
  kind: maybe(Schema.String),
  status: maybe(Schema.String),
  locations: maybe(Schema.Array(Schema.Struct({ path: Schema.String })))
})
type ToolUpdate = typeof ToolUpdate.Type

/** What a host makes use of; agents say more, and later ones other things, which are passed over. */
const Notification = Schema.Struct({
  update: Schema.Union(
    Schema.Struct({
      sessionUpdate: Schema.Literal("agent_message_chunk"),
      content: Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
    }),
    ToolUpdate,
    Schema.Struct({
      sessionUpdate: Schema.Literal("plan"),
      entries: Schema.Array(Schema.Struct({ content: Schema.String, status: Schema.String }))
    }),
    Schema.Struct({
      sessionUpdate: Schema.Literal("usage_update"),
      cost: Schema.Struct({ amount: Schema.JsonNumber, currency: Schema.String })
    })
  )
})

const decode = Schema.decodeUnknownOption(Notification)

/** A tool that the agent uses, as far as it has said. */
export interface KnownTool {
  readonly title: string
  readonly kind: string | undefined
  readonly name: string | undefined
  readonly paths: ReadonlyArray<string>
}

/** What an agent says in one turn, put together. */
export interface Turn {
  /** Takes the parameters of a `session/update`. */
  readonly update: (params: unknown) => void
  readonly tool: (id: string) => KnownTool | undefined
  /** All that the agent has written; where it is more than may be held, its end. */
  readonly text: () => string
  /** What was consumed so far; the answer to the prompt says more of it. */
  readonly usage: (answer?: PromptResponse) => Usage.Usage | undefined
}

/** How much text there is between two signs of life at least. */
const reportEvery = 200

const tokensOf = (usage: NonNullable<PromptResponse["usage"]>) => {
  const { inputTokens, outputTokens, totalTokens } = usage
  const cachedTokens = (usage.cachedReadTokens ?? 0) + (usage.cachedWriteTokens ?? 0)
  const thought = usage.thoughtTokens ?? 0
  // Agents count what was cached or thought on top of the rest, or as a part of it; the total says which.
  const apart = [cachedTokens + thought, cachedTokens].find(
    (more) => inputTokens + outputTokens + more === totalTokens
  )
  return {
    inputTokens: apart === undefined ? inputTokens : inputTokens + cachedTokens,
    outputTokens: apart === cachedTokens + thought ? outputTokens + thought : outputTokens,
    cachedTokens: usage.cachedReadTokens ?? 0
  }
}

const lastLine = (text: string): string =>
  text.trimEnd().slice(-2000).split("\n").at(-1)?.trim().slice(-500) ?? ""

/** The turn of an agent, which reports what happens in it; of its text, the last `limit` characters are held. */
export const makeTurn = (limit: number, report: (progress: Progress) => void): Turn => {
  const tools = new Map<string, KnownTool>()
  let text = ""
  let omitted = 0
  let reported = 0
  let costUsd: number | undefined

  const usage: Turn["usage"] = (answer) => {
    const tokens = answer?.usage ?? undefined
    if (tokens === undefined && costUsd === undefined) return undefined
    return Usage.make({
      ...(tokens === undefined ? {} : tokensOf(tokens)),
      ...(costUsd === undefined ? {} : { costUsd })
    })
  }

  const write = (more: string) => {
    text += more
    if (text.length > limit * 2) {
      omitted += text.length - limit
      text = text.slice(-limit)
    }
    reported += more.length
    if (reported < reportEvery && !more.includes("\n")) return
    const message = lastLine(text)
    if (message === "") return
    reported = 0
    report(progress({ message }))
  }

  const useTool = (update: ToolUpdate) => {
    const before = tools.get(update.toolCallId)
    const tool: KnownTool = {
      title: update.title ?? before?.title ?? update.toolCallId,
      kind: update.kind ?? before?.kind,
      name: update.name ?? before?.name,
      paths: update.locations?.map(({ path }) => path) ?? before?.paths ?? []
    }
    tools.set(update.toolCallId, tool)
    const status = update.status ?? "pending"
    if (before === undefined || status === "completed" || status === "failed")
      report(
        progress({ message: `${tool.title}${status === "pending" ? "" : ` (${status})`}`.slice(0, 2000) })
      )
  }

  return {
    text: () => {
      const cut = Math.max(0, text.length - limit)
      const left = omitted + cut
      return left === 0 ? text : `[${left} characters before this were left out]\n${text.slice(cut)}`
    },
    tool: (id) => tools.get(id),
    usage,
    update: (params) => {
      const update = Option.getOrUndefined(decode(params))?.update
      switch (update?.sessionUpdate) {
        case "agent_message_chunk":
          return write(update.content.text)
        case "tool_call":
        case "tool_call_update":
          return useTool(update)
        case "plan": {
          const { entries } = update
          const done = entries.filter(({ status }) => status === "completed").length
          const current = entries.find(({ status }) => status === "in_progress") ?? entries[done]
          if (entries.length > 0)
            report(
              progress({
                progress: done / entries.length,
                ...(current === undefined ? {} : { message: current.content.slice(0, 2000) })
              })
            )
          return
        }
        case "usage_update": {
          const { cost } = update
          if (cost.currency.toUpperCase() !== "USD") return
          costUsd = Math.max(costUsd ?? 0, cost.amount)
          const consumed = usage()
          if (consumed !== undefined) report(progress({ usage: consumed }))
        }
      }
    }
  }
}
