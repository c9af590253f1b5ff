import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

/** A file with fenced blocks, by its path from the root. */
interface Document {
  readonly file: string
  readonly text: string
}

/** A fenced block of TypeScript; `line` is that of its first line of code, and `before` what it continues. */
interface Snippet {
  readonly file: string
  readonly line: number
  readonly before: string
  readonly code: string
  readonly unknownWords: ReadonlyArray<string>
}

const namesIn = (directory: string): ReadonlyArray<string> =>
  readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .map((each) => join(directory, each))
    .filter((each) => !each.startsWith("docs/api/") && !/\/(?:node_modules|dist)\//.test(each))

/** The lines inside documentation comments without their decoration, every other line empty, so that numbers stay. */
const commentsOf = (source: string): string => {
  let inside = false
  return source
    .split("\n")
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = !line.includes("*/")
      else if (inside && line.includes("*/")) inside = false
      else if (inside) return line.replace(/^\s*\* ?/, "")
      return ""
    })
    .join("\n")
}

const documents = (): ReadonlyArray<Document> => {
  const read = (file: string) => ({ file, text: readFileSync(join(root, file), "utf8") })
  const pages = [
    ...readdirSync(root).filter((each) => each.endsWith(".md")),
    ...["docs", "packages", "examples"].flatMap((each) =>
      namesIn(each).filter((name) => name.endsWith(".md"))
    )
  ]
  const sources = namesIn("packages").filter((name) => /^packages\/[^/]+\/src\/.*\.ts$/.test(name))
  return [
    ...pages.map(read),
    ...sources.map(read).map(({ file, text }) => ({ file, text: commentsOf(text) }))
  ].toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

const snippetsOf = ({ file, text }: Document): ReadonlyArray<Snippet> => {
  const snippets: Array<Snippet> = []
  const lines = text.split("\n")
  for (let at = 0; at < lines.length; at += 1) {
    const opening = /^(\s*)(`{3,})(\S*)\s*(.*)$/.exec(lines[at] ?? "")
    if (opening === null) continue
    const [, indent = "", fence = "", language = "", info = ""] = opening
    const length = lines.slice(at + 1).findIndex((each) => each.trim() === fence)
    const end = length < 0 ? lines.length : at + 1 + length
    if (/^(?:ts|tsx|mts|typescript)$/i.test(language)) {
      const words = info.split(/\s+/).filter((each) => each !== "")
      const previous = snippets.at(-1)
      const continues = words.includes("continues") && previous !== undefined
      snippets.push({
        file,
        line: at + 2,
        before: continues ? `${previous.before}${previous.code}\n` : "",
        code: lines
          .slice(at + 1, end)
          .map((each) => (each.startsWith(indent) ? each.slice(indent.length) : each))
          .join("\n"),
        unknownWords: [
          ...(language === "ts" ? [] : [language]),
          ...words.filter((each) => each !== "continues" || previous === undefined)
        ]
      })
    }
    at = end
  }
  return snippets
}

/** Type-checks all of them in one pass and gives, for each, its problems with the lines of the documents. */
const check = (snippets: ReadonlyArray<Snippet>): ReadonlyArray<ReadonlyArray<string>> => {
  const read = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, root)
  const virtual = new Map(snippets.map((each, index) => [join(root, `.snippet-${index}.ts`), each] as const))
  const textOf = (name: string) => {
    const snippet = virtual.get(name)
    return snippet === undefined ? undefined : snippet.before + snippet.code
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (name) => virtual.has(name) || fileExists(name)
  host.readFile = (name) => textOf(name) ?? readFile(name)
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = textOf(name)
    return text === undefined
      ? getSourceFile(name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion)
  }
  const program = ts.createProgram([...virtual.keys()], options, host)
  return [...virtual].map(([name, { before, file, line, unknownWords }]) => {
    const source = program.getSourceFile(name)
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source)
    ]
    return [
      ...unknownWords.map(
        (word) => `${file}:${line - 1}: a block is \`ts\` or \`ts continues\`, not \`${word}\``
      ),
      ...diagnostics
        .filter(({ start = 0 }) => start >= before.length)
        .map(({ messageText, start = 0 }) => {
          const row = source?.getLineAndCharacterOfPosition(start).line ?? 0
          const above = before.split("\n").length - 1
          return `${file}:${line + row - above}: ${ts.flattenDiagnosticMessageText(messageText, "\n  ")}`
        })
    ]
  })
}

/** Blocks that must be found wanting, so that this file cannot pass by checking nothing. */
const planted: Document = {
  file: "planted.md",
  text: [
    "```ts",
    'import type { RunId } from "@switchyard/core/Ids"',
    "export const one: RunId = 1",
    "```",
    "Prose.",
    "```ts continues",
    "const id: RunId = one",
    "const two: string = 2",
    "```",
    "```ts",
    "const alone: RunId = one",
    "```",
    "```ts ignore",
    "export {}",
    "```"
  ].join("\n")
}

const all = documents()
const shown = all.flatMap(snippetsOf)
const examples = snippetsOf(planted)

describe("what the documents show", () => {
  let problems: ReadonlyArray<ReadonlyArray<string>> = []
  beforeAll(() => {
    problems = check([...shown, ...examples])
  }, 120_000)

  it.each(shown.map(({ file, line }, index) => ({ at: `${file}:${line}`, index })))(
    "compiles: $at",
    ({ index }) => {
      expect(problems[index]).toEqual([])
    }
  )

  it("is found in the sources too, where every example is a fenced block", () => {
    const files = shown.map(({ file }) => file)
    expect(files).toContain("packages/core/src/Workflow.ts")
    expect(files).toContain("packages/node/src/Switchyard.ts")
    const bare = all.filter(
      ({ file, text }) => file.endsWith(".ts") && /^@example[^\n]*\n(?!```ts)/m.test(text)
    )
    expect(bare.map(({ file }) => file)).toEqual([])
  })

  it("would be reported with its file and line", () => {
    const [first, second, third, fourth] = problems.slice(shown.length)
    expect(first).toEqual([expect.stringContaining("planted.md:3: Type 'number' is not assignable")])
    expect(second).toEqual(["planted.md:8: Type 'number' is not assignable to type 'string'."])
    expect(third).toEqual([
      "planted.md:11: Cannot find name 'RunId'.",
      "planted.md:11: Cannot find name 'one'."
    ])
    expect(fourth).toEqual(["planted.md:13: a block is `ts` or `ts continues`, not `ignore`"])
  })
})
