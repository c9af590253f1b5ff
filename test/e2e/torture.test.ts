import { describe, expect, it } from "@effect/vitest"
import { start } from "./process.js"

describe("torture", () => {
  it("finds nothing wrong after 30 kills", async () => {
    const { code, stderr, stdout } = await start("test/torture/main.ts", ["--kills", "30"]).ended
    expect([code, stderr], stdout).toEqual([0, ""])
    expect(stdout).toMatch(
      /^30 kills .*: lost 0, duplicated 0, reordered 0; (\d+) runs started, \1 finished; index = log; .*workspaces left 0; processes left 0;/m
    )
  }, 240_000)
})
