import type { FileAgent } from "../AgentFile.js"
import { InvalidAgentFile } from "../AgentFile.js"

/** A file that may have an agent now, and may have had one before that still serves. */
export interface Claimant {
  readonly current: FileAgent | undefined
  readonly serving: FileAgent | undefined
}

/** Which agents of files are to serve, by their ids without case, and what keeps others from it. */
export interface Claims {
  readonly holders: ReadonlyMap<string, FileAgent>
  readonly problems: ReadonlyArray<InvalidAgentFile>
}

/** How ids are compared. */
export const keyOf = ({ agent }: FileAgent): string => agent.id.toLowerCase()

/** An agent whose id another one has, as a problem of its file. */
const takenBy = ({ agent, at, file }: FileAgent, holder: string): InvalidAgentFile =>
  new InvalidAgentFile({
    file,
    problems: [
      {
        path: "id",
        ...at,
        rule: "taken",
        message: `the id "${agent.id}" is that of ${holder} already; give one of them another one`
      }
    ]
  })

/**
 * Gives each id to the first of the files that has it, unless somebody else has it, who is named by it. What a file had before
 * serves on where the file has nothing that can be used, or only what was refused.
 */
export const claim = (files: Iterable<Claimant>, others: ReadonlyMap<string, string> = new Map()): Claims => {
  const holders = new Map<string, FileAgent>()
  const problems: Array<InvalidAgentFile> = []
  const refused: Array<FileAgent> = []
  const isFree = (agent: FileAgent) => !holders.has(keyOf(agent)) && !others.has(keyOf(agent))
  for (const { current, serving } of files) {
    const agent = current ?? serving
    if (agent === undefined) continue
    if (isFree(agent)) {
      holders.set(keyOf(agent), agent)
      continue
    }
    const holder = holders.get(keyOf(agent))
    const named = holder === undefined ? others.get(keyOf(agent)) : `the agent in ${holder.file}`
    problems.push(takenBy(agent, named ?? "another agent"))
    if (serving !== undefined && serving !== agent) refused.push(serving)
  }
  for (const agent of refused) if (isFree(agent)) holders.set(keyOf(agent), agent)
  return { holders, problems }
}
