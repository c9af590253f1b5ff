import type { Output, Progress, Task } from "@switchyard/core/Agent"
import { AgentError, output } from "@switchyard/core/Agent"
import type { Json } from "@switchyard/core/Json"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ModelTool } from "../ModelTool.js"
import type { PriceTable } from "../PriceTable.js"
import { either } from "./compat.js"
import { type Contract, jsonIn, jsonSchemaOf } from "./contract.js"
import {
  type CountTokens,
  type Dialogue,
  lengthOf,
  promptOf,
  type Round,
  type ToolAnswer,
  withoutOldResults
} from "./dialogue.js"
import { type Meter, makeMeter } from "./meter.js"
import { ask, type Connection, type OfferedTool, type Reply } from "./reply.js"
import { allowedOf, callTool } from "./toolCalls.js"

/** Makes the input shorter, so that it has at most so many tokens. */
export type Shorten = (input: string, tokens: number) => Effect.Effect<string, AgentError>

/** All that is settled about a model agent before it gets a task. */
export interface Settings {
  readonly provider: string
  readonly model: string
  /** The model as a sentence names it. */
  readonly who: string
  readonly connect: Effect.Effect<Connection, AgentError, Scope.Scope>
  readonly system: string
  readonly prompt: (task: Task) => Effect.Effect<string, AgentError>
  readonly contract: Contract | undefined
  /** Whether the model gives its answer by calling a tool. */
  readonly answersByTool: boolean
  readonly repairs: number
  readonly tools: ReadonlyArray<ModelTool>
  readonly maxToolRounds: number
  readonly maxResultCharacters: number
  readonly stallMillis: number
  readonly contextTokens: number | undefined
  readonly reservedTokens: number
  readonly count: CountTokens
  /** `undefined` where input that is too long is an error. */
  readonly shorten: Shorten | undefined
  readonly keepsCutAnswers: boolean
  readonly prices: PriceTable
  readonly progressCharacters: number
  /** Whether it was said before that a price is not known. */
  readonly warned: { once: boolean }
}

/** The tool by which an answer is given. */
const answerTool = "submit_answer"

const tail = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > 200 ? `…${line.slice(-200)}` : line
}

/** An answer that is no object is wrapped into one, since tools take nothing else. */
const wrapped = ({ jsonSchema }: Contract): OfferedTool["jsonSchema"] =>
  jsonSchema.type === "object"
    ? jsonSchema
    : {
        type: "object",
        properties: { answer: jsonSchema },
        required: ["answer"],
        additionalProperties: false
      }

const unwrapped = ({ jsonSchema }: Contract, params: unknown): unknown =>
  jsonSchema.type === "object" ? params : (params as { readonly answer?: unknown } | null)?.answer

const answerOffer = (contract: Contract): OfferedTool => ({
  name: answerTool,
  description: "Gives the final answer. Call it once, when the task is done.",
  jsonSchema: wrapped(contract)
})

const systemOf = ({ answersByTool, contract, system }: Settings): string => {
  if (contract === undefined) return system
  const told = answersByTool
    ? `When you are done, give your answer by calling the tool "${answerTool}".`
    : `Answer with JSON and nothing else. It has to be valid by this JSON Schema:\n${JSON.stringify(contract.jsonSchema)}`
  return system === "" ? told : `${system}\n\n${told}`
}

const fail = (kind: AgentError["kind"], reason: string) => Effect.fail(new AgentError({ kind, reason }))

/** What there is after a reply: an output, or more to say. */
type Next =
  | { readonly _tag: "Done"; readonly value: Json }
  | { readonly _tag: "More"; readonly round: Round; readonly repaired: boolean }

const more = (round: Round, repaired: boolean): Next => ({ _tag: "More", round, repaired })

const repairNote = (problem: string): string =>
  `That answer cannot be used: ${problem}. Give the whole answer again, with this put right.`

/** Answers the calls of a reply, one after the other. */
const answerCalls = (
  settings: Settings,
  task: Task,
  { calls, text }: Reply,
  report: (message: string) => void
): Effect.Effect<Next, AgentError> =>
  Effect.gen(function* () {
    const { contract } = settings
    const answers: Array<ToolAnswer> = []
    let repaired = false
    for (const call of calls) {
      if (contract === undefined || call.name !== answerTool || !settings.answersByTool) {
        report(`calls ${call.name}`)
        answers.push(yield* callTool(settings.tools, task, settings.maxResultCharacters, call))
        continue
      }
      const checked = yield* either(contract.check(unwrapped(contract, call.params)))
      if (checked._tag === "Right") return { _tag: "Done", value: checked.right }
      repaired = true
      answers.push({
        id: call.id,
        name: call.name,
        result: { error: repairNote(checked.left) },
        isFailure: true
      })
    }
    return more({ text, calls, answers }, repaired)
  })

/** What a reply without calls comes to. */
const readText = ({ contract }: Settings, { text }: Reply): Effect.Effect<Next> => {
  if (contract === undefined) {
    return Effect.succeed(
      text.trim() === ""
        ? more({ text, calls: [], answers: [], note: repairNote("it is empty") }, true)
        : { _tag: "Done", value: text }
    )
  }
  return jsonIn(text).pipe(
    Effect.flatMap((answer) => contract.check(answer)),
    Effect.match({
      onFailure: (problem) => more({ text, calls: [], answers: [], note: repairNote(problem) }, true),
      onSuccess: (value): Next => ({ _tag: "Done", value })
    })
  )
}

const readReply = (
  settings: Settings,
  task: Task,
  reply: Reply,
  report: (message: string) => void
): Effect.Effect<Next, AgentError> =>
  Effect.gen(function* () {
    const { who } = settings
    const { calls, malformed, reason, unknownTools } = reply
    if (reason === "content-filter") return yield* fail("Failed", `${who} refused to answer (content filter)`)
    if (malformed !== undefined) {
      const answers = yield* Effect.forEach(unknownTools, (name) =>
        callTool(settings.tools, task, settings.maxResultCharacters, { id: "", name, params: {} })
      )
      const problems = answers.map(({ result }) => JSON.stringify(result))
      const problem = problems.length === 0 ? malformed : problems.join("; ")
      return more({ text: "", calls: [], answers: [], note: repairNote(problem) }, true)
    }
    if (reason === "length" && !settings.keepsCutAnswers) {
      return yield* fail(
        "Failed",
        `${who} was cut off before its answer was complete; raise maxTokens, or ask for less`
      )
    }
    return yield* calls.length > 0 ? answerCalls(settings, task, reply, report) : readText(settings, reply)
  })

/** The dialogue as it is sent: within the limits of the model, as far as that can be known before. */
const fitted = (
  { contextTokens, count, reservedTokens, shorten, who }: Settings,
  dialogue: Dialogue,
  overhead: number,
  factor: number
): Effect.Effect<Dialogue, AgentError> =>
  Effect.gen(function* () {
    const before = lengthOf(dialogue, count, overhead)
    const limit =
      contextTokens === undefined
        ? factor === 1
          ? Number.POSITIVE_INFINITY
          : Math.floor(before * factor)
        : Math.floor((contextTokens - reservedTokens) * factor)
    if (before <= limit) return dialogue
    const trimmed = withoutOldResults(dialogue, limit, count, overhead)
    const length = lengthOf(trimmed, count, overhead)
    if (length <= limit) return trimmed
    const figures = `its input has about ${length} tokens, and there is room for ${limit}`
    if (shorten === undefined) return yield* fail("ContextTooLong", `${who} cannot be asked: ${figures}`)
    const room = limit - (length - count(trimmed.input))
    const input = yield* shorten(trimmed.input, Math.max(0, room))
    const shortened = { ...trimmed, input }
    return lengthOf(shortened, count, overhead) <= limit
      ? shortened
      : yield* fail("ContextTooLong", `${who} cannot be asked: ${figures}, also after it was shortened`)
  })

const withUsage = ({ kind, reason, retryAfterMillis }: AgentError, meter: Meter): AgentError =>
  new AgentError({
    kind,
    reason,
    usage: meter.total(),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  })

/** Makes one attempt: asks, calls tools, and asks again, until there is an answer that can be used. */
export const attempt = (
  settings: Settings,
  task: Task,
  report: (progress: Omit<Progress, "_tag">) => void
): Effect.Effect<Output, AgentError> =>
  Effect.suspend(() => {
    const { contract, who } = settings
    const meter = makeMeter({
      table: settings.prices,
      provider: settings.provider,
      model: settings.model,
      onUnknown: (message) => {
        if (settings.warned.once) return
        settings.warned.once = true
        report({ message })
      }
    })
    const byTool = contract !== undefined && settings.answersByTool
    const offers = (tools: ReadonlyArray<ModelTool>): ReadonlyArray<OfferedTool> => [
      ...tools.map(({ description, name, parameters }) => ({
        name,
        description,
        jsonSchema: jsonSchemaOf(parameters)
      })),
      ...(byTool ? [answerOffer(contract)] : [])
    ]
    const known = offers(settings.tools)
    const offered = offers(allowedOf(settings.tools, task))
    const overhead = offered.length === 0 ? 0 : settings.count(JSON.stringify(offered))

    const askOnce = (connection: Connection, dialogue: Dialogue) => {
      let shown = 0
      const { wire } = connection
      if (wire !== undefined) {
        wire.onUsage = () => {
          meter.running(wire.usage)
          report({ usage: meter.total() })
        }
      }
      return Effect.onExit(
        ask(connection, {
          prompt: promptOf(dialogue),
          known,
          offered: offered.map(({ name }) => name),
          mustCall: byTool,
          stallMillis: settings.stallMillis,
          who,
          onText: (text) => {
            if (shown > 0 && text.length - shown < settings.progressCharacters) return
            shown = text.length
            report({ message: tail(connection.redact(text.slice(-4096))), usage: meter.total() })
          }
        }),
        (exit) =>
          Effect.sync(() => {
            meter.settle(exit._tag === "Success" ? exit.value.tokens : undefined)
            report({ usage: meter.total() })
          })
      )
    }

    /** A provider counts more exactly than can be done here: what it finds too long is made shorter twice more. */
    const askWithin = (
      connection: Connection,
      dialogue: Dialogue,
      factor = 1
    ): Effect.Effect<Reply, AgentError> =>
      Effect.flatMap(fitted(settings, dialogue, overhead, factor), (fitting) => {
        const asked = askOnce(connection, fitting)
        return settings.shorten === undefined || factor < 0.6
          ? asked
          : Effect.catchIf(
              asked,
              ({ kind }) => kind === "ContextTooLong",
              () => askWithin(connection, dialogue, factor * 0.75)
            )
      })

    const talk = (
      connection: Connection,
      dialogue: Dialogue,
      repairs: number,
      toolRounds: number
    ): Effect.Effect<Json, AgentError> =>
      Effect.gen(function* () {
        const reply = yield* askWithin(connection, dialogue)
        const next = yield* readReply(settings, task, reply, (message) =>
          report({ message, usage: meter.total() })
        )
        if (next._tag === "Done") return next.value
        const { repaired, round } = next
        const problem = round.note ?? JSON.stringify(round.answers.find((each) => each.isFailure)?.result)
        if (repaired && repairs >= settings.repairs) {
          return yield* fail(
            "InvalidOutput",
            `${who} gave no answer that can be used, also after ${repairs} repairs: ${connection.redact(problem).slice(0, 500)}`
          )
        }
        if (!repaired && toolRounds >= settings.maxToolRounds) {
          return yield* fail(
            "Failed",
            `${who} came to no answer within ${settings.maxToolRounds} rounds of calling tools; raise maxToolRounds`
          )
        }
        return yield* talk(
          connection,
          { ...dialogue, rounds: [...dialogue.rounds, round] },
          repairs + (repaired ? 1 : 0),
          toolRounds + (repaired ? 0 : 1)
        )
      })

    return Effect.gen(function* () {
      yield* task.permissions.require("InvokeModel", `to ask ${who}`)
      yield* task.permissions.require("Network", `to ask ${who}`)
      const input = yield* settings.prompt(task)
      const connection = yield* settings.connect
      const value = yield* talk(connection, { system: systemOf(settings), input, rounds: [] }, 0, 0)
      return output(value, meter.total())
    }).pipe(
      Effect.scoped,
      Effect.mapError((error) => withUsage(error, meter))
    )
  })
