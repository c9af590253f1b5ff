import { quantile } from "./Subject.js"

/** One thing that is measured in this process: how many operations it does, and doing them once. */
export interface Subject {
  readonly name: string
  /** What is done per operation, and what is on disk before it goes on. */
  readonly does: string
  readonly operations: number
  readonly run: () => Promise<void>
}

/** The median of several runs of a subject, and how it compares to the first subject of its group. */
export interface Row {
  readonly suite: string
  readonly group: string
  readonly name: string
  readonly does: string
  /** Operations a second; NaN, which JSON has as null, where there is a status. */
  readonly perSecond: number
  readonly microsPerOperation: number
  /** Its rate divided by that of the first subject: above 1 is faster. */
  readonly ratio: number
  readonly p50Millis?: number
  readonly p99Millis?: number
  /** Further figures by their names; the table has a column for each. */
  readonly figures?: Readonly<Record<string, number>>
  /** Why there is no figure. */
  readonly status?: string
}

/** How thorough a suite is to be, and where it may write. */
export interface Options {
  readonly directory: string
  readonly repeats: number
  /** Tiny sizes and no warm-up: whether everything works, not how fast. */
  readonly quick: boolean
  /** Whether other products take part. */
  readonly peers: boolean
  /** Only groups with this in their names. */
  readonly group: string
}

/** The middle of some numbers. */
export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/**
 * Measures the subjects of a group alternately, so that whatever else the machine does falls on all of them, after one run of
 * each that does not count. The ratio is the median of the ratios within one round.
 */
export const measure = async (
  suite: string,
  group: string,
  subjects: ReadonlyArray<Subject>,
  repeats: number
): Promise<ReadonlyArray<Row>> => {
  for (const subject of subjects) await subject.run()
  const rounds: Array<ReadonlyArray<number>> = []
  for (let round = 0; round < repeats; round++) {
    const rates: Array<number> = []
    for (const subject of subjects) {
      globalThis.gc?.()
      const before = performance.now()
      await subject.run()
      rates.push((subject.operations / (performance.now() - before)) * 1000)
    }
    rounds.push(rates)
  }
  return subjects.map(({ does, name }, index) => {
    const perSecond = median(rounds.map((rates) => rates[index] ?? Number.NaN))
    const ratio = median(rounds.map((rates) => (rates[index] ?? Number.NaN) / (rates[0] ?? Number.NaN)))
    return { suite, group, name, does, perSecond, microsPerOperation: 1e6 / perSecond, ratio }
  })
}
