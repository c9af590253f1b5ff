import * as fs from "node:fs"
import * as path from "node:path"
import { absentRow, type Entrant, mediansOf, moduleOf } from "./Contest.js"
import { Absent, type Recovery, startContestant } from "./Contestant.js"
import type { Options, Row } from "./Measure.js"
import { type Outcome, quantile } from "./Subject.js"

/** Who is killed and recovers. */
export interface Survivor extends Omit<Entrant, "task"> {
  /** How often it is measured at the most, where it waits for a minute each time. */
  readonly mostRepeats?: number
}

const limitMillis = 180_000

const once = async (recovery: Recovery): Promise<Outcome> => {
  const first = startContestant(limitMillis)
  try {
    await first.begin(recovery)
  } finally {
    await first.kill()
  }
  const second = startContestant(limitMillis)
  try {
    return await second.resume(recovery)
  } finally {
    await second.kill()
  }
}

/**
 * Kills a chain at the step that never ends, and measures in a new process, whose start does not count, how long it takes from
 * opening what was left to the first new step. The whole chain has to be recorded in the end.
 */
export const recoveries = async (
  group: string,
  chain: Pick<Recovery, "steps" | "killAt">,
  survivors: ReadonlyArray<Survivor>,
  options: Options
): Promise<ReadonlyArray<Row>> => {
  if (!group.includes(options.group)) return []
  process.stderr.write(`engine: ${group} …\n`)
  const found = survivors.map((survivor) => ({
    survivor,
    status: survivor.absent,
    outcomes: [] as Array<Outcome>
  }))
  for (let round = 0; round < options.repeats; round++) {
    for (const each of found) {
      const { mostRepeats = options.repeats, module, settings = {} } = each.survivor
      if (each.status !== undefined || round >= mostRepeats) continue
      const directory = fs.mkdtempSync(path.join(options.directory, "recovery-"))
      try {
        each.outcomes.push(await once({ module: moduleOf(module), directory, settings, ...chain }))
      } catch (error) {
        if (!(error instanceof Absent)) throw error
        each.status = error.message
      }
      fs.rmSync(directory, { recursive: true, force: true })
    }
  }
  const first = quantile(
    (found[0]?.outcomes ?? []).map(({ millis }) => millis),
    0.5
  )
  return found.map(({ outcomes, status, survivor }): Row => {
    if (status !== undefined || outcomes.length === 0) {
      return absentRow("engine", group, survivor, status ?? "not measured")
    }
    const millis = quantile(
      outcomes.map((outcome) => outcome.millis),
      0.5
    )
    const { does, name } = survivor
    return {
      suite: "engine",
      group,
      name,
      does,
      perSecond: 1000 / millis,
      microsPerOperation: millis * 1000,
      ratio: first / millis,
      figures: {
        ms: millis,
        repeats: outcomes.length,
        ...mediansOf(outcomes.map(({ figures }) => figures ?? {}))
      }
    }
  })
}
