import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

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
  /** The value of a secret; it is looked up anew each time, so that a rotated one is seen. */
  readonly get: (name: string) => Effect.Effect<Redacted.Redacted<string>, SecretUnavailable>
  /** The text with every secret that was given so far replaced by its name, as in `[secret API_KEY]`. */
  readonly redact: (text: string) => string
}

/** A provider from a lookup, which fails with a sentence about where it looked. */
export const make = (lookup: (name: string) => Effect.Effect<string, string>): Provider => {
  const given = new Map<string, string>()
  return {
    get: (name) =>
      lookup(name).pipe(
        Effect.mapError((reason) => new SecretUnavailable({ name, reason })),
        Effect.map((value) => {
          if (value !== "") given.set(value, name)
          return Redacted.make(value)
        })
      ),
    redact: (text) => {
      let redacted = text
      // A secret that has another one in it goes first.
      for (const [value, name] of [...given].sort(([a], [b]) => b.length - a.length))
        redacted = redacted.replaceAll(value, `[secret ${name}]`)
      return redacted
    }
  }
}

/** There are no secrets. */
export const none: Provider = make(() => Effect.fail("this host has no secrets"))
