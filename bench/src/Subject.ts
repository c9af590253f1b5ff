/** What a subject has done once: how long it took, of how many operations, and what else was found. */
export interface Outcome {
  readonly millis: number
  readonly operations: number
  /** Operations that were done beside those, and not timed. */
  readonly untimed?: number
  /** Further figures by their names; the table has a column for each. */
  readonly figures?: Readonly<Record<string, number>>
}

/** Values that go from process to process. */
export type Value =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Value>
  | { readonly [key: string]: Value }

/** The settings of a subject, or of what it is to do. */
export type Settings = { readonly [key: string]: Value }

/** A subject in the process that it has to itself. */
export interface Subject {
  /** Does a task, makes sure that it was really done, and says how long it took. */
  readonly run: (task: Settings) => Promise<Outcome>
  readonly close: () => Promise<void>
}

/** What a module of a subject exports. */
export interface SubjectModule {
  /** Gets ready in a directory that is there and empty; none of this counts. */
  readonly open: (directory: string, settings: Settings) => Promise<Subject>
  /** Starts a chain of steps that never ends, because `step` does not return from one of them. */
  readonly begin?: (
    directory: string,
    settings: Settings,
    step: (index: number) => Promise<void>
  ) => Promise<void>
  /** Opens what a process that was killed left, and brings its chain to the end; gives the number of steps that are recorded. */
  readonly resume?: (
    directory: string,
    settings: Settings,
    step: (index: number) => Promise<void>
  ) => Promise<number>
}

/** Measures one thing that is done. */
export const timed = async (operations: number, run: () => Promise<unknown>): Promise<Outcome> => {
  const before = performance.now()
  await run()
  return { millis: performance.now() - before, operations }
}

/** The middle of some numbers, or the one at another part of their order. */
export const quantile = (values: ArrayLike<number>, part: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** Fails where a subject has not done what it is measured for. */
export const verify = (what: string, found: unknown, expected: unknown): void => {
  if (found !== expected) throw new Error(`${what}: ${String(found)} instead of ${String(expected)}`)
}
