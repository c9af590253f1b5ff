import type { Settings } from "./Subject.js"

/** Steps that do nothing: chains in as many runs at once, or one run of many in parallel and a join. */
export interface Workload {
  readonly shape: "chain" | "fanOut"
  /** The length of a chain, or how many steps are in parallel. */
  readonly length: number
  readonly runs: number
}

/** The workload that a task names. */
export const workloadOf = ({ length, runs, shape }: Settings): Workload => ({
  shape: shape === "fanOut" ? "fanOut" : "chain",
  length: Number(length),
  runs: Number(runs)
})

/** All steps of a workload, the join included. */
export const stepsOf = ({ length, runs, shape }: Workload): number =>
  runs * (shape === "fanOut" ? length + 1 : length)
