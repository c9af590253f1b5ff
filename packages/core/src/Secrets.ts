import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { either } from "./internal/compat.js"
import { formsOf } from "./internal/secretForms.js"
import {
  leastLength,
  type Matcher,
  makeMatcher,
  makeRedacting,
  type Redacting
} from "./internal/secretMatcher.js"
import type { Json } from "./Json.js"

export type { Redacting } from "./internal/secretMatcher.js"

/** A secret that a provider does not give; the reason says where it was looked for. */
export class SecretUnavailable extends Schema.TaggedError<SecretUnavailable>()("SecretUnavailable", {
  name: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The secret "${this.name}" is not available: ${this.reason}`
  }
}

/** Gives secrets by their names, and knows what it has given, so that none of it is ever persisted. */
export interface Provider {
  /**
   * The value of a secret; it is looked up anew each time, so that a rotated one is seen. One of fewer than four characters
   * is not given, because it could not be told from other text.
   */
  readonly get: (name: string) => Effect.Effect<Redacted.Redacted<string>, SecretUnavailable>
  /** Whether anything was given so far; without that there is nothing to redact. */
  readonly hasGiven: () => boolean
  /**
   * The text with every secret that was given so far replaced by its name, as in `[secret API_KEY]`: as it is, as JSON
   * escapes it, in URLs and forms, in Base64 and in hexadecimal.
   */
  readonly redact: (text: string) => string
  /** The same for a text that comes in pieces, at whose bounds a secret may be cut in two. */
  readonly redacting: () => Redacting
}

/** Values of one secret that are remembered; one that is rotated more often than that is forgotten, the oldest value first. */
const mostValues = 256

const refusalOf = (value: string): string | undefined =>
  value === ""
    ? "it is empty"
    : value.length < leastLength
      ? `it has fewer than ${leastLength} characters, so that nothing could keep it out of what is recorded; use a longer one`
      : undefined

/** A provider from a lookup, which fails with a sentence about where it looked. */
export const make = (lookup: (name: string) => Effect.Effect<string, string>): Provider => {
  /** What was given, by the names, the latest one last. */
  const given = new Map<string, Set<string>>()
  let matcher: Matcher | undefined
  let isStale = false

  const remember = (name: string, value: string): void => {
    const values = given.get(name) ?? new Set()
    if (values.has(value)) return
    const [oldest] = values
    if (values.size >= mostValues && oldest !== undefined) values.delete(oldest)
    given.set(name, values.add(value))
    isStale = true
  }
  const current = (): Matcher | undefined => {
    if (!isStale) return matcher
    const names = new Map<string, string>()
    for (const [name, values] of given) {
      for (const value of values) {
        for (const form of formsOf(value))
          if (form.length >= leastLength && !names.has(form)) names.set(form, name)
      }
    }
    matcher = makeMatcher(names)
    isStale = false
    return matcher
  }

  return {
    get: (name) =>
      lookup(name).pipe(
        Effect.flatMap((value) => {
          const refusal = refusalOf(value)
          return refusal === undefined ? Effect.succeed(value) : Effect.fail(refusal)
        }),
        Effect.mapError((reason) => new SecretUnavailable({ name, reason })),
        Effect.map((value) => {
          remember(name, value)
          return Redacted.make(value)
        })
      ),
    hasGiven: () => given.size > 0,
    redact: (text) => {
      if (given.size === 0 || text.length < leastLength) return text
      const redacting = makeRedacting(current)
      return redacting.push(text) + redacting.end()
    },
    redacting: () => makeRedacting(current)
  }
}

/** There are no secrets. */
export const none: Provider = make(() => Effect.fail("this host has no secrets"))

/** Asks these providers in turn, and gives what the first one has. */
export const firstOf = (providers: ReadonlyArray<Provider>): Provider =>
  make((name) =>
    Effect.gen(function* () {
      const reasons: Array<string> = []
      for (const provider of providers) {
        const found = yield* either(provider.get(name))
        if (found._tag === "Right") return Redacted.value(found.right)
        reasons.push(found.left.reason)
      }
      return yield* Effect.fail(reasons.length === 0 ? "nobody gives secrets" : reasons.join("; "))
    })
  )

/**
 * The JSON with every secret that was given so far replaced, in values and in keys but those that are to be kept; it is the
 * same one where there was none.
 */
export const redactJson = (
  { hasGiven, redact }: Provider,
  value: Json,
  keeps: (key: string) => boolean = () => false
): Json => {
  const walk = (each: Json): Json => {
    if (typeof each === "string") return redact(each)
    if (typeof each !== "object" || each === null) return each
    if (Array.isArray(each)) {
      const items = each.map(walk)
      return items.some((item, index) => item !== each[index]) ? items : each
    }
    let changed = false
    const entries = Object.entries(each).map(([key, inner]) => {
      const redacted = [keeps(key) ? key : redact(key), walk(inner)] as const
      changed ||= redacted[0] !== key || redacted[1] !== inner
      return redacted
    })
    return changed ? Object.fromEntries(entries) : each
  }
  return hasGiven() ? walk(value) : value
}

/** What the agents of a host get their secrets from, where nothing else is said; there are none by default. */
export class HostSecrets extends Context.Reference<HostSecrets>()("@switchyard/core/HostSecrets", {
  defaultValue: () => none
}) {}
