import * as Prompt from "@effect/ai/Prompt"
import type { Json } from "@switchyard/core/Json"

/** A call of a tool as a model made it. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly params: unknown
}

/** What a model is told of its call. */
export interface ToolAnswer {
  readonly id: string
  readonly name: string
  readonly result: Json
  readonly isFailure: boolean
}

/** One reply, and what was said to it. */
export interface Round {
  readonly text: string
  readonly calls: ReadonlyArray<ToolCall>
  readonly answers: ReadonlyArray<ToolAnswer>
  readonly note?: string
}

/** All that was said between an agent and its model in one attempt. */
export interface Dialogue {
  readonly system: string
  readonly input: string
  readonly rounds: ReadonlyArray<Round>
}

const user = (text: string) => Prompt.userMessage({ content: [Prompt.textPart({ text })] })

const messagesOf = ({ answers, calls, note, text }: Round): ReadonlyArray<Prompt.Message> => {
  const content: ReadonlyArray<Prompt.AssistantMessagePart> = [
    ...(text.trim() === "" ? [] : [Prompt.textPart({ text })]),
    ...calls.map(({ id, name, params }) => Prompt.toolCallPart({ id, name, params, providerExecuted: false }))
  ]
  return [
    ...(content.length === 0 ? [] : [Prompt.assistantMessage({ content })]),
    ...(answers.length === 0
      ? []
      : [
          Prompt.toolMessage({
            content: answers.map((answer) => Prompt.toolResultPart({ ...answer, providerExecuted: false }))
          })
        ]),
    ...(note === undefined ? [] : [user(note)])
  ]
}

/** What is sent to the model. */
export const promptOf = ({ input, rounds, system }: Dialogue): Prompt.Prompt =>
  Prompt.fromMessages([
    ...(system === "" ? [] : [Prompt.systemMessage({ content: system })]),
    user(input),
    ...rounds.flatMap(messagesOf)
  ])

/** How many tokens a text is taken to be. */
export type CountTokens = (text: string) => number

/**
 * A token is taken to be four bytes of UTF-8: what English text comes to on average, a little too many for code, and about right
 * for most other languages.
 */
export const estimateTokens: CountTokens = (text) => Math.ceil(Buffer.byteLength(text) / 4)

/** Names of roles and marks around each message. */
const perMessage = 8

/** How long a dialogue is taken to be, with `overhead` tokens for what is sent beside it. */
export const lengthOf = (dialogue: Dialogue, count: CountTokens, overhead: number): number => {
  let sum = overhead + count(dialogue.system) + count(dialogue.input) + 2 * perMessage
  for (const { answers, calls, note, text } of dialogue.rounds) {
    sum += count(text) + perMessage
    for (const { name, params } of calls)
      sum += count(name) + count(JSON.stringify(params) ?? "") + perMessage
    for (const { result } of answers) sum += count(JSON.stringify(result)) + perMessage
    if (note !== undefined) sum += count(note) + perMessage
  }
  return sum
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/** A text with its middle left out, so that `kept` UTF-16 units of it remain; a mark says how many do not. */
export const cutMiddle = (text: string, kept: number): string => {
  if (text.length <= kept) return text
  const head = Math.ceil(Math.max(0, kept) / 2)
  const from = text.length - Math.max(0, kept - head)
  const first = isLowSurrogate(text.charCodeAt(head)) ? head - 1 : head
  const last = isLowSurrogate(text.charCodeAt(from)) ? from + 1 : from
  return `${text.slice(0, first)}\n[… ${last - first} characters left out …]\n${text.slice(last)}`
}

/** The longest form of a text, with its middle left out, that is within some number of tokens; `undefined` where none is. */
export const cutToTokens = (text: string, tokens: number, count: CountTokens): string | undefined => {
  if (count(text) <= tokens) return text
  let least = 0
  let most = text.length
  if (count(cutMiddle(text, 0)) > tokens) return undefined
  while (most - least > 1) {
    const middle = (least + most) >> 1
    if (count(cutMiddle(text, middle)) <= tokens) least = middle
    else most = middle
  }
  return cutMiddle(text, least)
}

const leftOut = (answer: ToolAnswer): ToolAnswer => {
  const { length } = JSON.stringify(answer.result)
  return length < 80 ? answer : { ...answer, result: `[a result of ${length} characters was left out]` }
}

/**
 * The dialogue with the results of its oldest calls left out, as few as it takes to be within `limit` tokens; those of the last
 * round stay, since the model has not seen them.
 */
export const withoutOldResults = (
  dialogue: Dialogue,
  limit: number,
  count: CountTokens,
  overhead: number
): Dialogue => {
  let trimmed = dialogue
  for (let at = 0; at < dialogue.rounds.length - 1; at++) {
    if (lengthOf(trimmed, count, overhead) <= limit) return trimmed
    trimmed = {
      ...trimmed,
      rounds: trimmed.rounds.map((round, place) =>
        place === at ? { ...round, answers: round.answers.map(leftOut) } : round
      )
    }
  }
  return trimmed
}
