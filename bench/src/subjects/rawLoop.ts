import * as fs from "node:fs"
import * as path from "node:path"
import { line, openGroupCommit } from "../GroupCommit.js"
import { type SubjectModule, timed, verify } from "../Subject.js"
import { stepsOf, workloadOf } from "../Workload.js"

const fileOf = (directory: string) => path.join(directory, "file")

const linesOf = (file: string): number =>
  fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").length - 1 : 0

/** A loop that writes a line per step, and nothing else: the limit of what records every step before the next. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const overwrite = settings.overwrite === true
  const file = openGroupCommit(fileOf(directory), { sync: settings.sync === true, overwrite })
  const chain = async (length: number) => {
    for (let n = 0; n < length; n++) await file.append(line(n))
  }
  return {
    run: async (task) => {
      const workload = workloadOf(task)
      // Over what was written before, the size says nothing.
      const before = overwrite ? undefined : fs.statSync(fileOf(directory)).size
      const outcome = await timed(stepsOf(workload), async () => {
        if (workload.shape === "chain") {
          await Promise.all(Array.from({ length: workload.runs }, () => chain(workload.length)))
          return
        }
        await Promise.all(Array.from({ length: workload.length }, (_, n) => file.append(line(n))))
        await file.append(line(workload.length))
      })
      if (before !== undefined) {
        const added = fs.readFileSync(fileOf(directory)).subarray(before)
        verify("lines", added.filter((byte) => byte === 10).length, stepsOf(workload))
      }
      return outcome
    },
    close: async () => file.close()
  }
}

const chainFrom = async (directory: string, length: number, step: (index: number) => Promise<void>) => {
  const recorded = linesOf(fileOf(directory))
  const file = openGroupCommit(fileOf(directory), { sync: true })
  for (let n = recorded; n < length; n++) {
    await step(n)
    await file.append(line(n))
  }
  file.close()
  return linesOf(fileOf(directory))
}

/** Begins a chain of which every step is recorded. */
export const begin: SubjectModule["begin"] = async (directory, { length }, step) => {
  await chainFrom(directory, Number(length), step)
}

/** Counts the lines and goes on. */
export const resume: SubjectModule["resume"] = (directory, { length }, step) =>
  chainFrom(directory, Number(length), step)
