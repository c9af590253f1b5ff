import type { AgentErrorKind } from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import type { OutputMapping } from "../OutputMapping.js"
import type { Exit } from "./processGroup.js"
import type { SaidError } from "./programRecords.js"
import { compilePattern } from "./recordMapping.js"
import { durationMillis, momentMillis } from "./resetTime.js"

interface Rule {
  readonly kind: AgentErrorKind
  readonly pattern: RegExp | undefined
  readonly exitCodes: ReadonlyArray<number> | undefined
  readonly retryAfter: string | number | undefined
}

/** Rules about failures that were checked and can be asked. */
export type FailureRules = ReadonlyArray<Rule>

/** Checks the rules; fails with a sentence that says which one is wrong, and how. */
export const compileFailures = ({ failures = [] }: OutputMapping): Effect.Effect<FailureRules, string> =>
  Effect.forEach(failures, ({ exitCodes, kind, pattern, retryAfter }, index) => {
    const place = `output.failures[${index}]`
    if (pattern === undefined && exitCodes === undefined) {
      return Effect.fail(`${place} fits every failure; give it a pattern or exitCodes`)
    }
    if (retryAfter !== undefined && durationMillis(retryAfter) === undefined) {
      return Effect.fail(
        `${place}.retryAfter: ${JSON.stringify(retryAfter)} is no duration; write it as 30 or 5m`
      )
    }
    return Effect.map(
      pattern === undefined ? Effect.succeed(undefined) : compilePattern(pattern, `${place}.pattern`),
      (compiled): Rule => ({ kind, pattern: compiled, exitCodes, retryAfter })
    )
  })

/** What a failure means. */
export interface Meaning {
  readonly kind: AgentErrorKind | undefined
  /** How long to wait at least, where the program says when a limit is reset. */
  readonly retryAfterMillis: number | undefined
}

interface Fit {
  readonly rule: Rule
  readonly groups: Readonly<Record<string, string | undefined>>
}

const fitOf = (rules: FailureRules, exit: Exit, text: string): Fit | undefined => {
  for (const rule of rules) {
    if (rule.exitCodes !== undefined && !(exit.code !== null && rule.exitCodes.includes(exit.code))) continue
    if (rule.pattern === undefined) return { rule, groups: {} }
    const found = rule.pattern.exec(text)
    if (found !== null) return { rule, groups: found.groups ?? {} }
  }
  return undefined
}

const waitOf = (resetsAt: unknown, retryAfter: unknown, now: number): number | undefined => {
  const moment = resetsAt === undefined ? undefined : momentMillis(resetsAt, now)
  if (moment !== undefined) return Math.max(0, Math.ceil(moment - now))
  return retryAfter === undefined ? undefined : durationMillis(retryAfter)
}

/**
 * What a failure means by the error that the records gave, and by the rules. The rules are asked about the message of that
 * error where there is one, otherwise about each of `ends` in turn.
 */
export const meaningOf = (
  rules: FailureRules,
  exit: Exit,
  said: SaidError | undefined,
  ends: ReadonlyArray<string>,
  now: number
): Meaning => {
  const texts = said?.message === undefined ? ends : [said.message]
  let fit: Fit | undefined
  for (const text of texts) fit ??= fitOf(rules, exit, text)
  return {
    kind: said?.kind ?? fit?.rule.kind,
    retryAfterMillis:
      waitOf(said?.resetsAt, said?.retryAfter, now) ??
      waitOf(fit?.groups.resetsAt, fit?.groups.retryAfter, now) ??
      waitOf(undefined, fit?.rule.retryAfter, now)
  }
}
