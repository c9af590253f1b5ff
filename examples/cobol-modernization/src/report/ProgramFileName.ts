import type { ProgramSummary } from "../cobol/ProgramSummary.js"

/** File names of program pages: safe on every file system, and different for different programs. */
export const programFileName = (
  programs: readonly ProgramSummary[]
): ((program: ProgramSummary) => string) => {
  const taken = new Set<string>()
  const names = new Map<ProgramSummary, string>()
  for (const program of programs) {
    const safe = program.name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 80) || "UNNAMED"
    let name = safe
    for (let number = 2; taken.has(name.toUpperCase()); number++) name = `${safe}-${number}`
    taken.add(name.toUpperCase())
    names.set(program, name)
  }
  return (program) => `program-${names.get(program) ?? "UNNAMED"}.md`
}
