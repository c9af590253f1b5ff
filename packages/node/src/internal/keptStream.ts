import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import type { Workspace } from "@switchyard/core/WorkspaceService"
import * as Effect from "effect/Effect"
import { attempt } from "./fileSystem.js"

/** How much of a line without an end is held back, so that what is to be left out of it is seen whole. */
const heldCharacters = 64 * 1024

/**
 * A file in `state` that takes a stream of text, line by line and through `redact`; where it cannot be written any more, the
 * stream is read on regardless. Bytes that are not UTF-8 are replaced.
 */
export const keepStream = (workspace: Workspace, path: string, redact: (text: string) => string) =>
  Effect.gen(function* () {
    const absolute = yield* workspace.write("state", path, "")
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
    const decoder = new TextDecoder()
    let held = ""
    let writable = true
    let file: FileHandle | undefined
    const write = async (text: string): Promise<void> => {
      if (text === "" || !writable) return
      await file?.appendFile(redact(text)).catch(() => {
        writable = false
      })
    }
    yield* Effect.acquireRelease(
      attempt("open", absolute, async () => {
        file = await open(absolute, flags)
      }),
      () =>
        Effect.promise(async () => {
          await write(held + decoder.decode())
          await file?.close().catch(() => undefined)
        })
    )
    return async (chunk: Uint8Array): Promise<void> => {
      const text = held + decoder.decode(chunk, { stream: true })
      const cut = text.length > heldCharacters ? text.length : text.lastIndexOf("\n") + 1
      held = text.slice(cut)
      await write(text.slice(0, cut))
    }
  })
