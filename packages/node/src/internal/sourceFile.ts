import { constants } from "node:fs"
import { open } from "node:fs/promises"
import { extname } from "node:path"
import * as Effect from "effect/Effect"
import { LineCounter } from "yaml"
import { reasonOf } from "./fileSystem.js"
import { readJson } from "./jsonSource.js"
import type { SourceText } from "./sourceText.js"
import { readYaml } from "./yamlSource.js"

/** How a file is written: YAML 1.2 (core schema, without merge keys and tags of its own), or JSON to the letter. */
export type Format = "yaml" | "json"

/** What files describe. */
export type Subject = "workflow" | "agent"

/** Something that is wrong with a part of what a text says. */
export interface Wrong<Rule extends string> {
  readonly path: string
  readonly rule: Rule
  readonly message: string
}

/** Something that is wrong, and where in the text: UTF-16 units from its beginning. */
export interface Located<Rule extends string> extends Wrong<Rule> {
  readonly offset: number
}

/** Something that is wrong, and the line and the column of where; both begin at 1. */
export interface Placed<Rule extends string> extends Wrong<Rule> {
  readonly line: number
  readonly column: number
}

/** The problems of a text, whatever it says. */
export const textProblems = ({
  pathAt,
  problems
}: SourceText): ReadonlyArray<Located<SourceText["problems"][number]["rule"]>> =>
  problems.map((problem) => ({
    ...problem,
    path: problem.rule === "document" ? "" : pathAt(problem.offset)
  }))

/** A problem of a part, where that is written. */
export const located = <Rule extends string>(source: SourceText, problem: Wrong<Rule>): Located<Rule> => ({
  ...problem,
  offset: source.offsetOf(problem.path, problem.rule === "unknown" ? "name" : "value")
})

/** A value without its `$schema`: JSON files name their schema so, since they cannot do it in a comment. */
export const withoutSchema = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || !("$schema" in value)) return value
  const { $schema, ...definition } = value
  return typeof $schema === "string" ? definition : value
}

const linesOf = (text: string): LineCounter => {
  const counter = new LineCounter()
  counter.addNewLine(0)
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) counter.addNewLine(at + 1)
  return counter
}

/** The text of a file as its format understands it; without a format the name of the file decides. */
export const sourceOf = (
  text: string,
  { file, format, subject }: { readonly file: string; readonly format?: Format; readonly subject: Subject }
): { readonly content: string; readonly source: SourceText } => {
  const content = text.startsWith("\ufeff") ? text.slice(1) : text
  const isJson = (format ?? (extname(file).toLowerCase() === ".json" ? "json" : "yaml")) === "json"
  return { content, source: isJson ? readJson(content) : readYaml(content, subject) }
}

/** Problems with the lines and columns of where they are, in the order of the text. */
export const placed = <Rule extends string>(
  content: string,
  problems: ReadonlyArray<Located<Rule>>
): ReadonlyArray<Placed<Rule>> => {
  const lines = linesOf(content)
  return problems
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ message, offset, path, rule }) => {
      const { col, line } = lines.linePos(offset)
      return { path, line, column: col, rule, message }
    })
}

const mebibyte = 1024 * 1024

const decoded = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new Error("it is not UTF-8; save it as that")
  }
}

/**
 * The text of a file of UTF-8, or a sentence about why it cannot be read. What is no file is not waited for, and no more than
 * `most` bytes are read, however the file grows meanwhile.
 */
export const textOf = (file: string, most: number, subject: Subject): Effect.Effect<string, string> =>
  Effect.tryPromise({
    try: async () => {
      const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        const stats = await handle.stat()
        if (!stats.isFile()) throw new Error("it is not a file")
        const tooLarge = () => new Error(`it is larger than ${most / mebibyte} MiB, which no ${subject} is`)
        if (stats.size > most) throw tooLarge()
        const chunks: Array<Buffer> = []
        let length = 0
        for await (const chunk of handle.createReadStream({ autoClose: false })) {
          length += chunk.length
          if (length > most) throw tooLarge()
          chunks.push(chunk)
        }
        return decoded(Buffer.concat(chunks, length))
      } finally {
        await handle.close()
      }
    },
    catch: reasonOf
  })

/** A sentence about a file, and its problems below, each on a line that says where it is. */
export const listed = (
  sentence: string,
  file: string,
  problems: ReadonlyArray<{
    readonly path: string
    readonly line: number
    readonly column: number
    readonly message: string
  }>
): string =>
  [
    sentence,
    ...problems.map(({ column, line, message, path }) => {
      const what = path === "" ? message : `${path}: ${message}`
      return `  ${file}:${line}:${column} ${what}`
    })
  ].join("\n")
