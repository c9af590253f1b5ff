/** Measures one thing that is done. */
export const timed = async (operations, run) => {
  const before = performance.now()
  await run()
  return { millis: performance.now() - before, operations }
}

/** Fails where a product has not done what it is measured for. */
export const verify = (what, found, expected) => {
  if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}`)
}

/** All steps of a workload, the join included. */
export const stepsOf = ({ length, runs, shape }) => runs * (shape === "fanOut" ? length + 1 : length)

/** So many of something, by its number. */
export const times = (count, make) => Array.from({ length: count }, (_, index) => make(index))

/**
 * A subject that begins its runs at once and counts its steps: `execute(workload, step)` does one run, in which `step` is
 * called for each step, and gives the number of steps that the product says were done.
 */
export const subjectOf = (execute, close) => ({
  run: async (workload) => {
    let called = 0
    const step = async () => {
      called++
    }
    let recorded = []
    const outcome = await timed(stepsOf(workload), async () => {
      recorded = await Promise.all(times(workload.runs, () => execute(workload, step)))
    })
    verify("steps", called, stepsOf(workload))
    verify(
      "steps in the results",
      recorded.reduce((a, b) => a + b, 0),
      stepsOf(workload)
    )
    return outcome
  },
  close
})
