import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as ts from "typescript"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The files of core in dependency order: a file imports only files above it. */
const order = [
  "Ids",
  "Json",
  "Nearest",
  "Placeholder",
  "Usage",
  "Budget",
  "AgentErrorKind",
  "Health",
  "Permission",
  "Secrets",
  "SelectionStrategy",
  "Constraint",
  "CapabilityType",
  "Capability",
  "AgentMetrics",
  "AgentTally",
  "Expression",
  "WorkflowDefinition",
  "DefinitionHash",
  "WorkflowReference",
  "WorkflowOptions",
  "Workflow",
  "Params",
  "Plan",
  "Shape",
  "WorkflowEdit",
  "Event",
  "StepState",
  "RunState",
  "RunTransitions",
  "Run",
  "Attempt",
  "WorkflowDiagram",
  "RunResult",
  "RunErrors",
  "WaitingStep",
  "Command",
  "Agent",
  "EventLog",
  "AgentRoster",
  "AgentRegistration",
  "AgentBook",
  "AgentRow",
  "AgentSelection",
  "AgentRegistry",
  "WorkspaceService",
  "Orchestrator",
  "WorkspaceCoordinator",
  "DryRun",
  "RunHandle",
  "Distributor",
  "ControlPlane",
  "QueryService"
]

/** Dependencies that are bundled into core, each into the one module that needs it. */
const bundled: Readonly<Record<string, string>> = {
  "@marcbachmann/cel-js": "internal/cel.ts",
  "fastest-levenshtein": "Nearest.ts",
  "@cfworker/json-schema": "internal/jsonSchema.ts",
  "@noble/hashes/sha2.js": "internal/contentHash.ts",
  "@noble/hashes/utils.js": "internal/contentHash.ts"
}

/** What another package may import beside its own files. */
const allowedOf: Readonly<Record<string, RegExp>> = {
  agents:
    /^(effect\/[A-Z]\w*|node:[a-z_/]+|@effect\/(ai|ai-openai|ai-anthropic|platform|experimental|rpc)(\/[\w/]+)?|@agentclientprotocol\/sdk|json-rpc-2\.0|@switchyard\/(core|node)\/\w+)$/,
  core: /^effect\/[A-Z]\w*$/,
  node: /^(effect\/[A-Z]\w*|node:[a-z_/]+|@effect\/(sql|sql-sqlite-node|platform|experimental)(\/[\w/]+)?|better-sqlite3|chokidar|node-pty|yaml|@switchyard\/core\/[\w/]+)$/
}

interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

interface Source {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly ast: ts.SourceFile
  readonly imports: ReadonlyArray<Import>
}

const isTypeOnly = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean => {
  if (ts.isExportDeclaration(node)) {
    const named = node.exportClause
    return (
      node.isTypeOnly ||
      (named !== undefined && ts.isNamedExports(named) && named.elements.every((each) => each.isTypeOnly))
    )
  }
  const { importClause } = node
  if (importClause === undefined || importClause.isTypeOnly) return importClause?.isTypeOnly ?? false
  const { name, namedBindings } = importClause
  if (name !== undefined || namedBindings === undefined || ts.isNamespaceImport(namedBindings)) return false
  return namedBindings.elements.every((each) => each.isTypeOnly)
}

const importsOf = (ast: ts.SourceFile): ReadonlyArray<Import> =>
  ast.statements.flatMap((node) =>
    (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
    node.moduleSpecifier !== undefined &&
    ts.isStringLiteral(node.moduleSpecifier)
      ? [{ from: node.moduleSpecifier.text, typeOnly: isTypeOnly(node) }]
      : []
  )

const sourcesOf = (name: string): ReadonlyArray<Source> => {
  const directory = join(root, "packages", name, "src")
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => {
      const file = join(directory, path)
      const text = readFileSync(file, "utf8")
      const ast = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
      return { name: path, file, text, ast, imports: importsOf(ast) }
    })
}

const packages = readdirSync(join(root, "packages")).map((name) => ({ name, sources: sourcesOf(name) }))
const core = packages.find(({ name }) => name === "core")?.sources ?? []

const target = (source: Source, from: string): string =>
  resolve(dirname(source.file), from).replace(/\.js$/, ".ts")

/** Cycles of the import graph, each as the files in it. */
const cyclesOf = (sources: ReadonlyArray<Source>, withTypes: boolean): ReadonlyArray<string> => {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const state = new Map<string, "open" | "done">()
  const found: Array<string> = []
  const visit = (file: string, path: ReadonlyArray<string>): void => {
    const source = byFile.get(file)
    if (source === undefined || state.get(file) === "done") return
    if (state.get(file) === "open") {
      const cycle = [...path.slice(path.indexOf(file)), file]
      found.push(cycle.map((each) => byFile.get(each)?.name).join(" → "))
      return
    }
    state.set(file, "open")
    for (const each of source.imports)
      if (each.from.startsWith(".") && (withTypes || !each.typeOnly))
        visit(target(source, each.from), [...path, file])
    state.set(file, "done")
  }
  for (const { file } of sources) visit(file, [])
  return found
}

const exported = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)

/** The names that a statement declares. */
const namesOf = (node: ts.Statement): ReadonlyArray<string> => {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map((each) => each.name.getText())
  const { name } = node as { readonly name?: ts.Node }
  return name === undefined ? [] : [name.getText()]
}

/** The last sentence of a doc comment, without its tags. */
const docOf = (ast: ts.SourceFile, node: ts.Node): string | undefined => {
  const comments = ts.getLeadingCommentRanges(ast.text, node.getFullStart()) ?? []
  const last = comments
    .map(({ end, pos }) => ast.text.slice(pos, end))
    .filter((each) => each.startsWith("/**"))
    .at(-1)
  if (last === undefined) return undefined
  const lines = last
    .slice(3, -2)
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, ""))
  const tag = lines.findIndex((line) => line.startsWith("@"))
  return (tag < 0 ? lines : lines.slice(0, tag)).join(" ").trim()
}

/** The text without comments and string literals, in which code is looked for. */
const codeOf = (source: Source): string => {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, true, ts.LanguageVariant.Standard, source.text)
  const ranges: Array<readonly [number, number]> = []
  const collect = (node: ts.Node): void => {
    if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateLiteralToken(node) ||
      ts.isRegularExpressionLiteral(node)
    )
      ranges.push([node.getStart(), node.getEnd()])
    for (const each of ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [])
      ranges.push([each.pos, each.end])
    for (const each of ts.getTrailingCommentRanges(source.text, node.getEnd()) ?? [])
      ranges.push([each.pos, each.end])
    ts.forEachChild(node, collect)
  }
  collect(source.ast)
  scanner.setText(source.text)
  const characters = [...source.text.split("")]
  for (const [from, to] of ranges) characters.fill(" ", from, to)
  return characters.join("")
}

const violations = (
  sources: ReadonlyArray<Source>,
  find: (source: Source) => ReadonlyArray<string>
): ReadonlyArray<string> => sources.flatMap((source) => find(source).map((each) => `${source.name}: ${each}`))

describe.each(packages)("$name", ({ name, sources }) => {
  it("imports only what it may", () => {
    const allowed = allowedOf[name] ?? /^$/
    const found = violations(sources, ({ imports, name: file }) =>
      imports
        .map(({ from }) => from)
        .filter((from) => !from.startsWith(".") && !allowed.test(from) && bundled[from] !== file)
    )
    expect(found).toEqual([])
  })

  it("stays within its own sources when it imports by a path", () => {
    const own = join(root, "packages", name, "src")
    const found = violations(sources, (source) =>
      source.imports
        .map(({ from }) => from)
        .filter((from) => from.startsWith("."))
        .filter((from) => !from.endsWith(".js") || relative(own, target(source, from)).startsWith(".."))
    )
    expect(found).toEqual([])
  })

  it("has no import cycle", () => {
    expect(cyclesOf(sources, false)).toEqual([])
  })

  it("has no import cycle of types either", () => {
    expect(cyclesOf(sources, true)).toEqual([])
  })

  it("has files of 400 lines at most", () => {
    expect(violations(sources, ({ text }) => (text.split("\n").length > 401 ? ["too long"] : []))).toEqual([])
  })

  it("has no barrel, and no name that says nothing", () => {
    const bad = /(Impl|Manager|Helper)s?$|^(utils?|commons?|types|errors|index)$/i
    const interfaceName = /^I[A-Z][a-z]/
    const found = violations(sources, ({ ast, name: file }) => [
      ...(bad.test(basename(file, ".ts")) ? [file] : []),
      ...ast.statements.flatMap((node) => {
        if (ts.isExportDeclaration(node) && node.exportClause === undefined) return ["export *"]
        if (!exported(node)) return []
        const prefixed = ts.isInterfaceDeclaration(node) && interfaceName.test(node.name.text)
        return namesOf(node).filter((each) => bad.test(each) || prefixed)
      })
    ])
    expect(found).toEqual([])
  })

  it("keeps the names that Effect 4 renames in one file", () => {
    const renamed =
      /\b(Effect\.(catchAll|fork|forkDaemon|async|either|makeSemaphore)\b(?!\w)|Layer\.scoped\b|\w+\.unsafe[A-Z]\w*)/g
    const found = violations(
      sources.filter(({ name: file }) => file !== join("internal", "compat.ts")),
      (source) => [...codeOf(source).matchAll(renamed)].map(([text]) => text)
    )
    expect(found).toEqual([])
  })

  it("has no escape from the types, and nothing left to do", () => {
    const found = violations(sources, (source) => [
      ...[...source.text.matchAll(/@ts-(ignore|nocheck|expect-error)|\b(TODO|FIXME|XXX)\b/g)].map(
        ([text]) => text
      ),
      ...[...codeOf(source).matchAll(/(:|\bas|<|,|\|)\s*any\b/g)].map(([text]) => text)
    ])
    expect(found).toEqual([])
  })

  it("says of everything it exports what its type cannot say", () => {
    const found = violations(sources, ({ ast }) => {
      const documented = new Set<string>()
      return ast.statements.flatMap((node) => {
        if (!exported(node)) return []
        const doc = docOf(ast, node)
        const names = namesOf(node)
        if (doc !== undefined && /[.:]$/.test(doc.replace(/`[^`]*`\.$/, "."))) {
          for (const each of names) documented.add(each)
          return []
        }
        // A type that has the name of the schema before it is the same thing.
        return names.filter((each) => !documented.has(each))
      })
    })
    expect(found).toEqual([])
  })
})

describe("core", () => {
  it("needs nothing at run time but effect", () => {
    const manifest = JSON.parse(readFileSync(join(root, "packages/core/package.json"), "utf8"))
    expect(manifest.dependencies ?? {}).toEqual({})
    expect(Object.keys(manifest.peerDependencies)).toEqual(["effect"])
  })

  it("imports in one direction", () => {
    const place = (file: string) => order.indexOf(basename(file, ".ts"))
    const top = core.filter(({ name }) => dirname(name) === ".")
    expect(top.map(({ name }) => basename(name, ".ts")).filter((each) => !order.includes(each))).toEqual([])
    const found = violations(top, (source) =>
      source.imports
        .filter(({ from }) => /^\.\/[A-Z]/.test(from) && place(target(source, from)) >= place(source.file))
        // An agent receives a workspace, whose module knows nothing of agents.
        .filter(
          ({ from, typeOnly }) => !(typeOnly && source.name === "Agent.ts" && /WorkspaceService/.test(from))
        )
        .map(({ from }) => from)
    )
    expect(found).toEqual([])
  })

  it("leaves its testing modules out of everything else", () => {
    const found = violations(
      core.filter(({ name }) => !name.startsWith("testing")),
      ({ imports }) => imports.map(({ from }) => from).filter((from) => from.includes("testing/"))
    )
    expect(found).toEqual([])
  })

  it("takes time, chance and place from Effect only", () => {
    const ambient =
      /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|Math\.random|performance\.now|process\.\w+|queueMicrotask)\b/g
    const found = violations(core, (source) =>
      [...codeOf(source).matchAll(ambient)]
        .map(([text]) => text)
        // A law that holds for real file systems lets the time of the host pass.
        .filter((each) => !(each === "setTimeout" && source.name === "testing/WorkspaceLaws.ts"))
    )
    expect(found).toEqual([])
  })
})
