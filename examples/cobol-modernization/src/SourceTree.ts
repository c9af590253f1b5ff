import { readdir, readFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import type { ParseResult } from "./cobol/Ast.js"
import { type CopyResolver, copyResolver } from "./cobol/CopyBooks.js"
import { parseProgram } from "./cobol/Parser.js"
import { readSource, type SourceText, type UnreadableSource } from "./cobol/SourceFile.js"

/** A file as it was read, or why it could not be. */
export interface SourceEntry {
  readonly path: string
  readonly bytes: number
  readonly source: SourceText | UnreadableSource
}

/** The COBOL files of a directory, read once, and the copybooks among them. */
export interface SourceTree {
  readonly directory: string
  readonly entries: ReadonlyMap<string, SourceEntry>
  readonly resolveCopy: CopyResolver
}

const cobolFile = /\.(cbl|cob|cobol|cpy|copy|cpb|pco|sqb|ccp|cics)$/i

/** The paths of all COBOL files below a directory, by their names, relative and sorted; hidden directories are left out. */
export const listSources = async (directory: string): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (!entry.name.startsWith(".") && entry.name !== "node_modules") await visit(path)
      } else if (cobolFile.test(entry.name)) found.push(relative(directory, path).split(sep).join("/"))
    }
  }
  await visit(directory)
  return found.sort()
}

const readEntry = async (directory: string, path: string): Promise<SourceEntry> => {
  try {
    const bytes = await readFile(join(directory, path))
    return { path, bytes: bytes.length, source: readSource(path, bytes) }
  } catch (error) {
    const message = `${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`
    const hint = "Give this user the right to read it, or leave it out."
    return {
      path,
      bytes: 0,
      source: { _tag: "UnreadableSource", path, reason: "unknown-encoding", message, hint }
    }
  }
}

/** Reads every COBOL file of a directory; one that cannot be read is an entry that says so. */
export const readTree = async (directory: string): Promise<SourceTree> => {
  const entries = new Map<string, SourceEntry>()
  for (const path of await listSources(directory)) entries.set(path, await readEntry(directory, path))
  const texts = [...entries.values()].flatMap(({ path, source }) =>
    source._tag === "Source" ? [{ path, text: source.text }] : []
  )
  return { directory, entries, resolveCopy: copyResolver(texts) }
}

/** Parses a file of the tree with its copybooks. */
export const parse = (tree: SourceTree, source: SourceText): ParseResult =>
  parseProgram({ path: source.path, source: source.text, resolveCopy: tree.resolveCopy })

/** Gives the tree of a directory, read again for every new key (a run), so that agents of one run share one reading. */
export const makeTreeCache = () => {
  let last: { readonly key: string; readonly tree: Promise<SourceTree> } | undefined
  return (run: string, directory: string): Promise<SourceTree> => {
    const key = `${run} ${directory}`
    if (last?.key !== key) last = { key, tree: readTree(directory) }
    return last.tree
  }
}
