import { describe, expect, it } from "@effect/vitest"
import * as Capability from "@switchyard/core/Capability"

describe("quantities", () => {
  const cases: ReadonlyArray<readonly [Capability.ConstraintValue, number | undefined]> = [
    [10, 10],
    ["10", 10],
    ["1.5KB", 1_500],
    ["10 MB", 10_000_000],
    ["10mb", 10_000_000],
    ["1MiB", 1_048_576],
    ["2GiB", 2_147_483_648],
    ["1TB", 1e12],
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["5min", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["ten", undefined],
    ["10 parsecs", undefined],
    ["-1", undefined],
    ["", undefined],
    [true, undefined],
    [["1"], undefined]
  ]
  it.each(cases)("%j", (value, expected) => {
    expect(Capability.quantity(value)).toBe(expected)
  })
})

describe("constraints", () => {
  type Value = Capability.ConstraintValue
  const cases: ReadonlyArray<readonly [string, Value | undefined, Value, boolean]> = [
    ["maxFileSize", "3MB", "3MB", true],
    ["maxFileSize", "3MB", "3000001", false],
    ["maxFileSize", "1GiB", "900MB", true],
    ["maxFileSize", undefined, "3MB", true],
    ["maxFileSize", "lots", "3MB", false],
    ["maxFileSize", "3MB", "some", false],
    ["minVersion", 2, 2, true],
    ["minVersion", 2, 1, false],
    ["minVersion", undefined, 1, true],
    ["max-items", 3, 4, false],
    ["max_items", 3, 3, true],
    ["maximal", "x", "x", true],
    ["maximal", 5, 4, false],
    ["minutes", 5, 4, false],
    ["needsNetwork", true, false, false],
    ["needsNetwork", true, true, true],
    ["needsNetwork", false, false, true],
    ["needsNetwork", undefined, false, true],
    ["needsy", undefined, "x", false],
    ["region", "eu", "eu", true],
    ["region", "eu", "us", false],
    ["region", undefined, "eu", false],
    ["languages", ["java", "cobol"], "cobol", true],
    ["languages", ["java"], ["java", "cobol"], false],
    ["languages", "java", ["java"], true],
    ["languages", ["java"], [], true],
    ["streaming", true, true, true],
    ["streaming", false, true, false],
    ["version", 1, "1", false],
    ["needsMemory", "2GB", "4GB", true],
    ["needsMemory", "2GB", "1GB", false],
    ["needsMemory", "2GB", false, false],
    ["needsMemory", "2GB", true, true],
    ["needsMemory", true, 0, false],
    ["needsMemory", true, "1GB", true],
    ["needsMemory", false, 0, true],
    ["needsMemory", "2GB", "5m", false],
    ["maxFileSize", "3MB", "5m", false],
    ["maxDuration", "5m", 300_000, true],
    ["languages", ["DE"], ["de"], true],
    ["costClass", "low", "medium", true],
    ["costClass", "medium", "medium", true],
    ["costClass", "high", "medium", false],
    ["costClass", undefined, "medium", false],
    ["costClass", undefined, "high", true],
    ["costClass", "low", "cheap", false]
  ]
  it.each(cases)("%s declared %j, needed %j: %s", (key, declared, needed, allowed) => {
    const found = Capability.satisfies(key, declared, needed)
    expect(found === undefined, found).toBe(allowed)
    if (found !== undefined) expect(found).toContain(key)
  })
})

describe("matching", () => {
  const review = Capability.make({ skill: "review", inputTypes: ["cobol"], outputTypes: ["text"] })
  const write = Capability.make({ skill: "write", constraints: { maxFileSize: "1MB" } })
  const query = (requiredSkills: ReadonlyArray<string>, more: object = {}) => ({ requiredSkills, ...more })

  it("needs every skill", () => {
    expect(Capability.match([review, write], query(["review", "write"]))._tag).toBe("Matched")
    expect(Capability.match([review], query(["review", "write"]))).toMatchObject({
      stage: "skill",
      reason: 'it does not have the skill "write"'
    })
    expect(Capability.match([review], query([]))._tag).toBe("Matched")
    expect(Capability.match([], query([]))._tag).toBe("Rejected")
  })

  it("checks in the order skill, type, constraint, and names the stage", () => {
    const wrong = { inputType: "java", constraints: { maxFileSize: "9MB" } }
    expect(Capability.match([review], query(["write"], wrong))).toMatchObject({ stage: "skill" })
    expect(Capability.match([review], query(["review"], wrong))).toMatchObject({ stage: "type" })
    expect(Capability.match([write], query(["write"], wrong))).toMatchObject({ stage: "constraint" })
  })

  it("takes the capability that has both types and constraints", () => {
    const small = { ...review, constraints: { maxFileSize: "1MB" } }
    const large = { ...review, constraints: { maxFileSize: "9MB" } }
    const found = Capability.match([small, large], query(["review"], { constraints: { maxFileSize: "5MB" } }))
    expect(found).toMatchObject({ _tag: "Matched", capabilities: [large] })
  })
})
