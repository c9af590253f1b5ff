import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { make, type Provider } from "@switchyard/core/Secrets"
import * as Effect from "effect/Effect"
import { reasonOf } from "./internal/fileSystem.js"

export { firstOf } from "@switchyard/core/Secrets"

/** More than any secret has; a file that is larger is a mistake. */
const mostBytes = 1024 * 1024

/** Uses a regular file that is opened once, so that what was looked at is what is read. */
const withFile = <A>(
  path: string,
  use: (file: FileHandle, mode: number) => Promise<A>
): Effect.Effect<A, string> =>
  Effect.tryPromise({
    try: async () => {
      // Without O_NONBLOCK the opening of a named pipe would wait for a writer for ever.
      await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const { mode, size } = await file.stat()
      if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error("it is not a regular file")
      if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`)
      return await use(file, mode)
    },
    catch: (error) => `${path} cannot be used: ${reasonOf(error)}`
  })

/** Secrets from environment variables of this process, by their names. */
export const environment = (): Provider =>
  make((name) => {
    const value = process.env[name]
    return value === undefined
      ? Effect.fail(`the environment variable ${name} is not set`)
      : Effect.succeed(value)
  })

/** The pairs of a text; what is wrong with it is said without showing any of it. */
const pairsOf = (text: string): Readonly<Record<string, unknown>> => {
  if (!text.trimStart().startsWith("{")) return parseEnv(text)
  try {
    return JSON.parse(text)
  } catch {
    // The message of the parser quotes the text.
    throw new Error("it begins like JSON and is none")
  }
}

/** Who else may do something with a file, in words; a mode says nothing on Windows. */
const othersIn = (mode: number): string | undefined => {
  if (process.platform === "win32" || (mode & 0o077) === 0) return undefined
  const octal = (mode & 0o777).toString(8)
  return `others than its owner may read or change it (mode ${octal}); run chmod 600 on it`
}

/**
 * Secrets from a file that is read anew each time: a JSON object of texts, or lines `NAME=value` as in a `.env` file. It is
 * refused where others than its owner may read or change it.
 */
export const file = (path: string): Provider =>
  make((name) =>
    Effect.flatMap(
      withFile(path, async (handle, mode) => {
        const others = othersIn(mode)
        if (others !== undefined) throw new Error(others)
        return pairsOf((await handle.readFile("utf8")).replace(/^\uFEFF/, ""))
      }),
      (pairs) => {
        const value = Object.hasOwn(pairs, name) ? pairs[name] : undefined
        if (typeof value === "string") return Effect.succeed(value)
        return Effect.fail(value === undefined ? `${path} does not name it` : `${path} has no text for it`)
      }
    )
  )

/**
 * Secrets from a directory with a file for each, named like it, as Docker and Kubernetes mount them; one line end at the end
 * of a file is no part of the secret. Who may read the files is up to who mounts them.
 */
export const directory = (path: string): Provider =>
  make((name) =>
    /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
      ? Effect.map(
          withFile(join(path, name), (handle) => handle.readFile("utf8")),
          (text) => text.replace(/\r?\n$/, "")
        )
      : Effect.fail(`${JSON.stringify(name)} cannot be the name of a file in ${path}`)
  )
