import { decay, type Track } from "../AgentMetrics.js"
import type { Factors } from "../AgentSelection.js"

/** What is known of an agent and a skill as of a step of decay, before who else there is counts. */
export interface Standing {
  /** How many invocations the knowledge is worth: the weights of all of them. */
  readonly weight: number
  readonly success: number
  readonly latencyMillis: number
  readonly latency: number
  readonly costMicroUsd: number
  readonly cost: number
  /** The score without exploration, for an agent that is well. */
  readonly base: number
}

const halfLatencyMillis = 30_000
const halfCostMicroUsd = 100_000

/**
 * What a track record is worth. `success` is the mean of a Beta(2, 1) prior updated by the weights, so that an agent without
 * history is judged 2/3 and one whose history fades comes back to that. To latency and cost one invocation that took nothing is
 * added, so that what is not known counts as if it were the best; they fall off hyperbolically, halving at 30 s and 0.10 USD.
 */
export const standingOf = (track: Track | undefined, step: number): Standing => {
  const left = track === undefined ? 0 : decay(track.weights.step, step)
  const successes = left * (track?.weights.successes ?? 0)
  const weight = successes + left * (track?.weights.failures ?? 0)
  const success = (successes + 2) / (weight + 3)
  const latencyMillis = (left * (track?.weights.latencyMillis ?? 0)) / (successes + 1)
  const costMicroUsd = (left * (track?.weights.costMicroUsd ?? 0)) / (weight + 1)
  const latency = halfLatencyMillis / (halfLatencyMillis + latencyMillis)
  const cost = halfCostMicroUsd / (halfCostMicroUsd + costMicroUsd)
  return {
    weight,
    success,
    latencyMillis,
    latency,
    costMicroUsd,
    cost,
    base: 0.7 * success + 0.2 * latency + 0.1 * cost
  }
}

/** What the score of an agent is multiplied by that says itself that it is not as well as it could be. */
export const degraded = 0.75

/**
 * How much it is worth to learn more, given the weight of all invocations of the skill, whoever made them. An agent's share of
 * it is `spreadOf`: the term of UCB1 (Auer, Cesa-Bianchi and Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem",
 * 2002) with discounted counts (Garivier and Moulines, "On Upper-Confidence Bound Policies for Switching Bandit Problems",
 * 2011), so that an agent which was not asked for long is asked again. With 0.15, an agent that nothing is known of comes
 * before one that never fails after some sixteen invocations of that one.
 */
export const curiosity = (totalWeight: number): number => 0.15 * Math.sqrt(Math.log1p(totalWeight))

/**
 * By how much little is known of one agent. What is under way counts as known (Liu et al., "Watch the Unobserved", 2020), so that
 * many selections at once do not all go to whoever is new.
 */
export const spreadOf = (weight: number, underWay: number): number => 1 / Math.sqrt(1 + weight + underWay)

/** The factors of a score. */
export const factorsOf = (
  { cost, latency, success }: Standing,
  exploration: number,
  health: number
): Factors => ({ success, latency, cost, health, exploration })
