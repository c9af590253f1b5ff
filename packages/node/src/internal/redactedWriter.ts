import type { Provider } from "@switchyard/core/Secrets"

/** Takes the chunks of a stream, and the end of it. */
export interface Writer {
  readonly write: (chunk: Uint8Array) => Promise<void>
  readonly end: () => Promise<void>
}

const textOf = (chunk: Uint8Array): string =>
  Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1")

/**
 * Hands a stream on without the secrets that its providers have given, wherever its chunks are cut; all other bytes stay as
 * they are. It holds back as many bytes as the longest secret has, and nothing while none was given.
 */
export const redactedWriter = (
  providers: ReadonlyArray<Provider>,
  write: (chunk: Uint8Array) => Promise<void>
): Writer => {
  const stages = [...new Set(providers)].map((provider) => ({ provider, redacting: provider.redacting() }))
  let isClean = true
  const hand = (text: string): Promise<void> =>
    text === "" ? Promise.resolve() : write(Buffer.from(text, "latin1"))
  return {
    write: (chunk) => {
      isClean &&= !stages.some(({ provider }) => provider.hasGiven())
      if (isClean) return write(chunk)
      return hand(stages.reduce((text, { redacting }) => redacting.push(text), textOf(chunk)))
    },
    end: () => {
      if (isClean) return Promise.resolve()
      return hand(stages.reduce((text, { redacting }) => redacting.push(text) + redacting.end(), ""))
    }
  }
}
