import { describe, expect, it } from "@effect/vitest"
import { start } from "./e2e/process.js"

interface Row {
  readonly suite: string
  readonly group: string
  readonly name: string
  readonly does: string
  readonly perSecond: number | null
  readonly ratio: number | null
  readonly figures?: Readonly<Record<string, number | null>>
  readonly status?: string
}

const bench = (...args: ReadonlyArray<string>) =>
  start("bench/src/main.ts", args, { flags: ["--expose-gc"] }).ended

const rowsOf = (output: string): ReadonlyArray<Row> =>
  output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))

describe("the benchmarks", () => {
  it("measure the disk and the log beside each other, a row for each subject", async () => {
    const { code, stderr, stdout } = await bench("limit", "log", "--group", "1 ", "--quick", "--json")
    expect(code, stderr).toBe(0)
    const rows = rowsOf(stdout)
    expect(new Set(rows.map(({ suite }) => suite))).toEqual(new Set(["limit", "log"]))
    for (const group of new Set(rows.map(({ group }) => group))) {
      const members = rows.filter((row) => row.group === group)
      expect(members[0]?.ratio).toBe(1)
      expect(members.length).toBeGreaterThan(1)
      if (members[0]?.suite === "log")
        expect(members.map(({ name }) => name)).toContain("JsonlEventLog.append")
      for (const { does, perSecond, ratio, status } of members) {
        expect(status).toBeUndefined()
        expect(does).not.toBe("")
        expect(perSecond).toBeGreaterThan(0)
        expect(ratio).toBeGreaterThan(0)
      }
    }
  }, 60_000)

  it("measure what a large graph leaves in memory, under way and afterwards", async () => {
    const { code, stderr, stdout } = await bench(
      "graph",
      "--group",
      "heap",
      "--quick",
      "--no-peers",
      "--json"
    )
    expect(code, stderr).toBe(0)
    const rows = rowsOf(stdout)
    expect(rows.map(({ name, status }) => [name, status])).toEqual([
      ["100 steps", undefined],
      ["100 items", undefined]
    ])
    for (const { figures } of rows)
      expect(Object.keys(figures ?? {})).toEqual(["bytes each, under way", "bytes each, ended"])
  }, 120_000)

  it("refuse what is no suite, and too few repeats for a median", async () => {
    expect(await bench("limits")).toMatchObject({ code: 2, stdout: "" })
    expect(await bench("log", "--repeats", "3")).toMatchObject({ code: 2, stdout: "" })
  }, 60_000)
})
