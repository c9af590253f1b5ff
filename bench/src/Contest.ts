import * as fs from "node:fs"
import * as path from "node:path"
import { Absent, type Contestant, startContestant } from "./Contestant.js"
import type { Options, Row } from "./Measure.js"
import { type Outcome, quantile, type Settings } from "./Subject.js"

/** Who takes part in a contest, and with what. */
export interface Entrant {
  readonly name: string
  /** What is done per operation, what is kept, and what is on disk before it goes on. */
  readonly does: string
  /** The module of the subject, as a file name in `subjects/`, or a path from there. */
  readonly module: string
  readonly settings?: Settings
  readonly task: Settings
  /** Why it cannot take part, where that is known beforehand. */
  readonly absent?: string
}

/** Entrants that do the same work. */
export interface Group {
  readonly suite: string
  readonly group: string
  /** Each of the others is measured right beside all of these; the first one is what ratios are relative to. */
  readonly references: ReadonlyArray<Entrant>
  readonly others: ReadonlyArray<Entrant>
  /** Figures that are compared to those of the first reference, too. */
  readonly compared?: ReadonlyArray<string>
  /** How often each does its task at least before it counts; twice by default. */
  readonly warmUps?: number
  /** Whether it is counted how often the disk was flushed, by whomever; it is by default. */
  readonly flushes?: boolean
}

/** A subject that has not answered for this long is not waited for. */
const limitMillis = 180_000

/** How long an entrant warms up where that takes no more than this many runs. */
const warmUp = { millis: 6000, most: 60 }

/** A module of a subject, as its process finds it. */
export const moduleOf = (module: string): string =>
  module.startsWith("..") ? module : `./subjects/${module}${path.extname(import.meta.url)}`

/** How often the disk below a directory was told to make everything durable so far, by whomever; NaN where nobody counts. */
export const flushesOf = (directory: string): number => {
  const { dev } = fs.statSync(directory)
  const device = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  for (const file of [`${device}/stat`, `${device}/../stat`]) {
    try {
      const flushes = Number(fs.readFileSync(file, "utf8").trim().split(/\s+/)[15])
      if (flushes > 0) return flushes
    } catch {
      // A partition has its disk above it, and other systems have neither.
    }
  }
  return Number.NaN
}

interface Measured {
  readonly perSecond: number
  readonly figures: Readonly<Record<string, number>>
}

interface Party {
  readonly entrant: Entrant
  contestant: Contestant | undefined
  status: string | undefined
  readonly measured: Array<Measured>
  /** By reference: how often faster than the reference this was, once for each time that they were neighbours. */
  readonly ratios: Array<Array<number>>
  /** Other figures by their names: what part of the first reference's they were. */
  readonly comparisons: Array<Readonly<Record<string, number>>>
}

/** The row of an entrant that could not take part. */
export const absentRow = (
  suite: string,
  group: string,
  { does, name }: Pick<Entrant, "does" | "name">,
  status: string
): Row => ({
  suite,
  group,
  name,
  does,
  perSecond: Number.NaN,
  microsPerOperation: Number.NaN,
  ratio: Number.NaN,
  status
})

/** The medians of figures by their names. */
export const mediansOf = (
  all: ReadonlyArray<Readonly<Record<string, number>>>
): Readonly<Record<string, number>> => {
  const names = new Set(all.flatMap((each) => Object.keys(each)))
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      quantile(
        all.map((each) => each[name] ?? Number.NaN).filter((value) => !Number.isNaN(value)),
        0.5
      )
    ])
  )
}

const attempt = async <A>(party: Party, use: (contestant: Contestant) => Promise<A>) => {
  const { contestant } = party
  if (contestant === undefined) return undefined
  try {
    return await use(contestant)
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    party.status = error.message
    party.contestant = undefined
    await contestant.kill()
    return undefined
  }
}

const enter = async (
  entrant: Entrant,
  { warmUps = 2 }: Pick<Group, "warmUps">,
  options: Options
): Promise<Party> => {
  const { absent, module, settings = {}, task } = entrant
  const party: Party = {
    entrant,
    contestant: undefined,
    status: absent,
    measured: [],
    ratios: [],
    comparisons: []
  }
  if (absent !== undefined) return party
  party.contestant = startContestant(limitMillis)
  const directory = fs.mkdtempSync(path.join(options.directory, "subject-"))
  await attempt(party, async (contestant) => {
    await contestant.open(moduleOf(module), directory, settings)
    let spent = 0
    for (let runs = 0; !options.quick; runs++) {
      if (runs >= warmUps && (spent >= warmUp.millis || runs >= warmUp.most)) break
      spent += (await contestant.run(task)).millis
    }
  })
  return party
}

const measureOnce = async (
  party: Party,
  { flushes: counted = true }: Pick<Group, "flushes">,
  { directory, quick }: Pick<Options, "directory" | "quick">
): Promise<Measured | undefined> => {
  // While others were measured, the engine has let go of compiled code and memory, and the processor of what it had at hand.
  if (!quick) await attempt(party, (each) => each.run(party.entrant.task))
  const flushed = counted ? flushesOf(directory) : Number.NaN
  const outcome: Outcome | undefined = await attempt(party, (each) => each.run(party.entrant.task))
  if (outcome === undefined) return undefined
  const perSecond = (outcome.operations / outcome.millis) * 1000
  const flushes = (flushesOf(directory) - flushed) / (outcome.operations + (outcome.untimed ?? 0))
  const measured: Measured = {
    perSecond,
    figures: { ...outcome.figures, ...(Number.isNaN(flushes) ? {} : { "flushes/op": flushes }) }
  }
  party.measured.push(measured)
  return measured
}

const compare = (
  heat: ReadonlyArray<Party>,
  found: ReadonlyMap<Party, Measured>,
  references: ReadonlyArray<Party>,
  compared: ReadonlyArray<string>
): void => {
  for (const party of heat) {
    const mine = found.get(party)
    for (const [index, reference] of references.entries()) {
      const theirs = found.get(reference)
      if (mine === undefined || theirs === undefined) continue
      party.ratios[index] ??= []
      party.ratios[index].push(mine.perSecond / theirs.perSecond)
      if (index > 0) continue
      const part = (name: string) => (mine.figures[name] ?? Number.NaN) / (theirs.figures[name] ?? Number.NaN)
      party.comparisons.push(Object.fromEntries(compared.map((name) => [`${name}, ratio`, part(name)])))
    }
  }
}

const rowOf = ({ group, suite }: Group, party: Party, references: ReadonlyArray<Party>): Row => {
  const { entrant, measured, ratios, status } = party
  if (measured.length === 0) return absentRow(suite, group, entrant, status ?? "not measured")
  const perSecond = quantile(
    measured.map((each) => each.perSecond),
    0.5
  )
  const { p50, p99, ...figures } = mediansOf(measured.map((each) => each.figures))
  const ahead = references.slice(1).flatMap((reference, index) => {
    const found = ratios[index + 1] ?? []
    return found.length === 0 ? [] : [[`${reference.entrant.name} ÷ this`, 1 / quantile(found, 0.5)]]
  })
  return {
    suite,
    group,
    name: entrant.name,
    does: entrant.does,
    perSecond,
    microsPerOperation: 1e6 / perSecond,
    ratio: quantile(ratios[0] ?? [], 0.5),
    ...(p50 === undefined ? {} : { p50Millis: p50 }),
    ...(p99 === undefined ? {} : { p99Millis: p99 }),
    figures: { ...Object.fromEntries(ahead), ...figures, ...mediansOf(party.comparisons) },
    ...(status === undefined ? {} : { status })
  }
}

/**
 * Measures entrants in processes of their own. In every round each of the others is measured right beside the references, in
 * turn before and after them; figures are medians, ratios are medians of the ratios of neighbours.
 */
export const contest = async (group: Group, options: Options): Promise<ReadonlyArray<Row>> => {
  if (!group.group.includes(options.group)) return []
  process.stderr.write(`${group.suite}: ${group.group} …\n`)
  const references: Array<Party> = []
  const others: Array<Party> = []
  for (const entrant of group.references) references.push(await enter(entrant, group, options))
  for (const entrant of group.others) others.push(await enter(entrant, group, options))
  const broken = references.find(({ status }) => status !== undefined)
  const alone = others.every(({ contestant }) => contestant === undefined)
  for (let round = 0; round < options.repeats && broken === undefined; round++) {
    const heats = alone ? [references] : others.filter(({ contestant }) => contestant !== undefined)
    for (const other of heats) {
      const heat = Array.isArray(other) ? references : [...references, other]
      const found = new Map<Party, Measured>()
      for (const party of round % 2 === 0 ? heat : heat.toReversed()) {
        const measured = await measureOnce(party, group, options)
        if (measured !== undefined) found.set(party, measured)
      }
      compare(heat, found, references, group.compared ?? [])
    }
  }
  const all = [...references, ...others]
  for (const { contestant } of all) await contestant?.close()
  if (broken !== undefined) throw new Error(`${broken.entrant.name} in ${group.group}: ${broken.status}`)
  return all.map((party) => rowOf(group, party, references))
}
