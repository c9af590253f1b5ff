import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What a law found instead of what it promises. */
export class LawViolated extends Schema.TaggedError<LawViolated>()("LawViolated", {
  promise: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message() {
    return `${this.promise}: expected ${this.expected}, found ${this.found}`
  }
}

/** One promise of a service: `check` fails where the implementation that it is provided with breaks it. */
export interface Law<R> {
  readonly name: string
  readonly check: Effect.Effect<void, unknown, R>
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** Fails unless both values have the same JSON. */
export const equal = (promise: string, found: unknown, expected: unknown): Effect.Effect<void, LawViolated> =>
  Effect.suspend(() => {
    const [left, right] = [show(found), show(expected)]
    return left === right
      ? Effect.void
      : Effect.fail(
          new LawViolated({ promise, expected: right.slice(0, 2_000), found: left.slice(0, 2_000) })
        )
  })

/** Fails unless the condition holds; `found` says what was seen instead. */
export const holds = (
  promise: string,
  condition: boolean,
  found: unknown = condition
): Effect.Effect<void, LawViolated> =>
  condition
    ? Effect.void
    : Effect.fail(new LawViolated({ promise, expected: "true", found: show(found).slice(0, 2_000) }))

/** Fails unless the effect fails with an error of this tag, which it gives. */
export const fails = <A, E extends { readonly _tag: string }, R, Tag extends E["_tag"]>(
  promise: string,
  tag: Tag,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Extract<E, { readonly _tag: Tag }>, LawViolated, R> =>
  Effect.matchEffect(effect, {
    onFailure: (error) =>
      error._tag === tag
        ? Effect.succeed(error as Extract<E, { readonly _tag: Tag }>)
        : Effect.fail(new LawViolated({ promise, expected: tag, found: show(error) })),
    onSuccess: (value) =>
      Effect.fail(new LawViolated({ promise, expected: tag, found: `a success, ${show(value)}` }))
  })

/** Lets other fibers and the host go on until the condition holds; fails when it does not for very long. */
export const eventually = (promise: string, condition: () => boolean): Effect.Effect<void, LawViolated> =>
  Effect.gen(function* () {
    for (let turn = 0; !condition(); turn++) {
      yield* holds(promise, turn < 500_000)
      yield* Effect.yieldNow()
    }
  })
