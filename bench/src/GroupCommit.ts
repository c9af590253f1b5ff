import * as fs from "node:fs"

/** The run that every measured event belongs to; an id as long as a generated one. */
export const runId = "01m7yf1nd2c4eys084tkh1rt3p"

/** The event that is written wherever one is written: the end of an item. */
export const event = {
  _tag: "ItemCompleted",
  stepId: "analysis",
  item: "item",
  index: 0,
  attempt: 1,
  agentId: "agent",
  result: null,
  metrics: {
    durationMillis: 1,
    usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicroUsd: 0 },
    retries: 0
  }
} as const

/** How a file is written. */
export interface Writing {
  readonly sync: boolean
  /** Over blocks that were written before, which have nothing but their content to sync; again from the start at the end. */
  readonly overwrite?: boolean
}

/** The size of a file that is overwritten. */
export const filledBytes = 16 << 20

/** Writes a whole file of newlines, so that there is nothing left to sync of it but what is written over them. */
export const fill = (fd: number): void => {
  const block = Buffer.alloc(1 << 20, "\n")
  for (let position = 0; position < filledBytes; position += block.length)
    fs.writeSync(fd, block, 0, block.length, position)
  fs.fsyncSync(fd)
}

/** A file that is written with one write and one fdatasync for everything that came meanwhile: the limit of group commit. */
export const openGroupCommit = (file: string, { overwrite = false, sync }: Writing) => {
  const fd = fs.openSync(file, fs.existsSync(file) ? "r+" : "w+")
  let position = fs.fstatSync(fd).size
  if (overwrite) {
    fill(fd)
    position = 0
  }
  let lines: Array<string> = []
  let waiting: Array<() => void> = []
  let busy = false

  const turn = (): void => {
    if (lines.length === 0) {
      busy = false
      return
    }
    const bytes = Buffer.from(lines.join(""))
    const woken = waiting
    lines = []
    waiting = []
    if (overwrite && position + bytes.length > filledBytes) position = 0
    const done = (error: Error | null) => {
      if (error !== null) throw error
      for (const wake of woken) wake()
      turn()
    }
    fs.write(fd, bytes, 0, bytes.length, position, (error) => {
      if (error !== null || !sync) done(error)
      else fs.fdatasync(fd, done)
    })
    position += bytes.length
  }

  return {
    append: (line: string): Promise<void> =>
      new Promise((resolve) => {
        lines.push(line)
        waiting.push(resolve)
        if (busy) return
        busy = true
        queueMicrotask(turn)
      }),
    close: () => fs.closeSync(fd)
  }
}

/** A line as long as that of an event, checksum and newline included, by a counter. */
export const line = (n: number): string =>
  `${JSON.stringify({ crc: "00000000", seq: n, time: 1_700_000_000_000 + n, runId, runSeq: n, event })}\n`

/** Runs so many producers, each of which awaits each of its operations. */
export const producers = async (count: number, each: number, operation: (n: number) => Promise<unknown>) => {
  await Promise.all(
    Array.from({ length: count }, async (_, producer) => {
      for (let n = 0; n < each; n++) await operation(producer * each + n)
    })
  )
}
