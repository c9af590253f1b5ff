import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Program } from "../src/cobol/Ast.js"
import { copyResolver } from "../src/cobol/CopyBooks.js"
import { parseProgram } from "../src/cobol/Parser.js"
import { readSource } from "../src/cobol/SourceFile.js"
import { compileJava, findJavaTool, type JavacResult } from "../src/java/Javac.js"
import { type JavaProject, javaPath, javaProject } from "../src/java/JavaProject.js"
import { sourceLines } from "../src/java/SourceText.js"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const texts = async (
  directory: string
): Promise<readonly { readonly path: string; readonly text: string }[]> => {
  const names = (await readdir(directory)).filter((name) => /\.(cbl|cpy)$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const source = readSource(name, await readFile(join(directory, name)))
      if (source._tag !== "Source") throw new Error(`${name} is not readable: ${source.message}`)
      return { path: basename(name), text: source.text }
    })
  )
}

const copyBooks = await texts(here("../sample/copy/"))

/** The programs in a COBOL text; copybooks come from the sample. */
export const programsIn = (path: string, source: string): readonly Program[] => {
  const result = parseProgram({ path, source, resolveCopy: copyResolver(copyBooks) })
  if (result._tag !== "Parsed") throw new Error(`${path} holds no program`)
  return [result.program, ...result.others]
}

/** The generated project for all programs of a directory next to this file. */
export const projectOf = async (directory: string, more: readonly Program[] = []): Promise<JavaProject> => {
  const sources = await texts(here(directory))
  const programs = sources.flatMap(({ path, text }) => programsIn(path, text))
  const originals = new Map([...sources, ...copyBooks].map(({ path, text }) => [path, text]))
  return javaProject([...programs, ...more], { packageName: "bank", sourceLine: sourceLines(originals) })
}

/** What a program printed, as it should have been according to a COBOL compiler. */
export const expectedOutput = (name: string): Promise<string> =>
  readFile(here(`./java-programs/${name}.out`), "utf8")

/** Whether the tools of a JDK are installed. */
export const hasJava =
  (await findJavaTool("javac")) !== undefined && (await findJavaTool("java")) !== undefined

/** A project written to a temporary directory and compiled there. */
export interface CompiledProject {
  readonly result: JavacResult
  readonly run: (className: string) => Promise<string>
  readonly remove: () => Promise<void>
}

/** Writes all files of a project and compiles them. */
export const compiled = async (project: JavaProject): Promise<CompiledProject> => {
  const root = await mkdtemp(join(tmpdir(), "cobol-java-"))
  const sourceDirectory = join(root, "source")
  const targetDirectory = join(root, "classes")
  await mkdir(join(sourceDirectory, project.packageName), { recursive: true })
  for (const { fileName, source } of [project.runtime, ...project.classes]) {
    await writeFile(join(sourceDirectory, javaPath(project.packageName, fileName)), source)
  }
  const result = await compileJava({ sourceDirectory, targetDirectory })
  const run = async (className: string): Promise<string> => {
    const java = await findJavaTool("java")
    if (java === undefined) throw new Error("There is no java.")
    const main = `${project.packageName}.${className}`
    try {
      return (await promisify(execFile)(java, ["-cp", targetDirectory, main], { timeout: 20_000 })).stdout
    } catch (failure) {
      const hasCode = failure instanceof Error && "code" in failure && "stdout" in failure
      if (hasCode && typeof failure.code === "number" && typeof failure.stdout === "string") {
        return `${failure.stdout}exit ${failure.code}\n`
      }
      throw failure
    }
  }
  return { result, run, remove: () => rm(root, { recursive: true, force: true }) }
}
