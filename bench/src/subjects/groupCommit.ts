import * as path from "node:path"
import { line, openGroupCommit, producers } from "../GroupCommit.js"
import { quantile, type SubjectModule, timed } from "../Subject.js"

/** Lines by producers that await each one, and nothing else: one write and one fdatasync for all that came meanwhile. */
export const open: SubjectModule["open"] = async (directory, { overwrite }) => {
  const file = openGroupCommit(path.join(directory, "file"), {
    sync: true,
    overwrite: overwrite === true
  })
  return {
    run: async (task) => {
      const [count, each] = [Number(task.producers), Number(task.each)]
      const outcome = await timed(count * each, () => producers(count, each, (n) => file.append(line(n))))
      const latencies = new Float64Array(count * each)
      await producers(count, each, async (n) => {
        const before = performance.now()
        await file.append(line(n))
        latencies[n] = performance.now() - before
      })
      const figures = { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
      return { ...outcome, untimed: count * each, figures }
    },
    close: async () => file.close()
  }
}
