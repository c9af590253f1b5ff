import { PCGRandom } from "effect/Utils"

/** A sequence of choices that depends on its seed alone. */
export interface Chance {
  /** A whole number from `from` to `to`, both included. */
  readonly between: (from: number, to: number) => number
  /** True with this probability. */
  readonly happens: (probability: number) => boolean
  readonly pick: <A>(values: readonly [A, ...ReadonlyArray<A>]) => A
  /** One of the values, each as often as its weight says. */
  readonly weighted: <A>(values: readonly [readonly [number, A], ...ReadonlyArray<readonly [number, A]>]) => A
}

/** Choices from a seed. */
export const chanceOf = (seed: number): Chance => {
  const random = new PCGRandom(seed)
  const between = (from: number, to: number) => from + random.integer(to - from + 1)
  const pick: Chance["pick"] = (values) => values[between(0, values.length - 1)] ?? values[0]
  return {
    between,
    happens: (probability) => random.number() < probability,
    pick,
    weighted: (values) => {
      let left = random.number() * values.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of values) {
        left -= weight
        if (left < 0) return value
      }
      return values[0][1]
    }
  }
}
