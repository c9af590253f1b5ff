import * as fs from "node:fs"
import * as path from "node:path"
import { hashOf } from "./content.js"
import { wholeEntry } from "./logFiles.js"

/** The last entry that a log has published, or what is wrong with it. */
export type Published = { readonly seq: number; readonly hash: string } | { readonly wrong: string }

const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/**
 * Looks at a log from another process, as its host may be writing it: whatever its head has published has to be there, and to
 * stay there. Gives nothing while nothing is published.
 */
export const readPublished = (directory: string): Published | undefined => {
  const [, one, other] = /^(\d{16}) (\d{16})\n$/.exec(read(path.join(directory, "head")) ?? "") ?? []
  const seq = Number(one)
  if (one === undefined || one !== other || seq === 0) return undefined
  const segments = fs.readdirSync(directory).filter((name) => /^\d{16}\.jsonl$/.test(name))
  const name = segments.sort().findLast((each) => Number(each.slice(0, 16)) <= seq)
  const line = read(path.join(directory, name ?? ""))
    ?.split("\n")
    .find((each) => each.slice(0, 150).includes(`"seq":${seq},`))
  if (line === undefined) return { wrong: `the head has published entry ${seq}, which is not in ${name}` }
  return { seq, hash: hashOf(wholeEntry(directory, JSON.parse(line))) }
}
