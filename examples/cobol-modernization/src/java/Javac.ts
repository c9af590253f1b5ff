import { spawn } from "node:child_process"
import { constants } from "node:fs"
import { access, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises"
import { delimiter, join, relative } from "node:path"

/** One message of the compiler; `file` is relative to the source directory. */
export interface JavacDiagnostic {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** The result of a compilation; `classes` are the paths of the class files below the target directory. */
export type JavacResult =
  | { readonly available: false; readonly reason: string }
  | {
      readonly available: true
      readonly ok: boolean
      readonly diagnostics: readonly JavacDiagnostic[]
      readonly classes: readonly string[]
    }

/** What to compile and how long it may take. */
export interface JavacOptions {
  readonly sourceDirectory: string
  readonly targetDirectory: string
  readonly timeoutMillis?: number
  readonly signal?: AbortSignal
}

const executable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** The path of a tool of the JDK, looked up in JAVA_HOME first and then on the PATH. */
export const findJavaTool = async (
  tool: "javac" | "java",
  environment: NodeJS.ProcessEnv = process.env
): Promise<string | undefined> => {
  const home = environment.JAVA_HOME
  const directories = [
    ...(home === undefined || home === "" ? [] : [join(home, "bin")]),
    ...(environment.PATH ?? "").split(delimiter).filter((directory) => directory !== "")
  ]
  const name = process.platform === "win32" ? `${tool}.exe` : tool
  for (const directory of directories) {
    const path = join(directory, name)
    if (await executable(path)) return path
  }
  return undefined
}

const filesBelow = async (directory: string, ending: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

interface Finished {
  readonly code: number | null
  readonly output: string
}

const run = (command: string, args: readonly string[], signal: AbortSignal): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], signal, killSignal: "SIGKILL" })
    const chunks: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
    let failure: Error | undefined
    child.once("error", (error) => {
      failure = error
      if (child.pid === undefined) reject(error)
    })
    child.once("close", (code) => {
      if (failure === undefined) resolve({ code, output: Buffer.concat(chunks).toString("utf8") })
      else reject(failure)
    })
  })

const diagnosticsIn = (output: string, sourceDirectory: string): readonly JavacDiagnostic[] =>
  output.split(/\r?\n/).flatMap((text) => {
    const match = /^(.+\.java):(\d+): (?:error: )?(.*)$/.exec(text)
    if (match === null) return []
    const [, file = "", line = "0", message = ""] = match
    return message.startsWith("warning:")
      ? []
      : [{ file: relative(sourceDirectory, file), line: Number(line), message }]
  })

const quoted = (path: string): string => `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`

/**
 * Compiles all Java sources below a directory. A missing compiler is a result and not an error; an abort of
 * the signal rejects with its reason after the compiler was killed, and so does the timeout.
 */
export const compileJava = async (options: JavacOptions): Promise<JavacResult> => {
  const { sourceDirectory, targetDirectory, timeoutMillis = 120_000 } = options
  options.signal?.throwIfAborted()
  const javac = await findJavaTool("javac")
  if (javac === undefined)
    return { available: false, reason: "There is no javac in JAVA_HOME or on the PATH." }
  await mkdir(targetDirectory, { recursive: true })
  const sources = await filesBelow(sourceDirectory, ".java")
  if (sources.length === 0) return { available: true, ok: true, diagnostics: [], classes: [] }
  const list = join(targetDirectory, "javac-sources.txt")
  await writeFile(list, `${sources.map(quoted).join("\n")}\n`)
  const timeout = AbortSignal.timeout(timeoutMillis)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
  try {
    const args = ["-encoding", "UTF-8", "-proc:none", "-Xmaxerrs", "1000", "-d", targetDirectory, `@${list}`]
    const { code, output } = await run(javac, args, signal)
    const found = diagnosticsIn(output, sourceDirectory)
    const silent = code !== 0 && found.length === 0
    const diagnostics = silent ? [{ file: "", line: 0, message: output.trim() }] : found
    const classes = (await filesBelow(targetDirectory, ".class")).map((path) =>
      relative(targetDirectory, path)
    )
    return { available: true, ok: code === 0, diagnostics, classes }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error
  } finally {
    await rm(list, { force: true })
  }
}
