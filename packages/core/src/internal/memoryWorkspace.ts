/**
 * The files below one directory, in memory, with the rules of a file system: a file is not a directory and the other way
 * round. Paths are normalised and relative.
 */
export interface FileTree {
  /** Replaces a file as a whole; answers with the reason where a file system would refuse. */
  readonly write: (path: string, content: string | Uint8Array) => string | undefined
  /** The content as text; bytes that are not UTF-8 are replaced. */
  readonly read: (path: string) => string | undefined
  /** The files below a directory, relative to it, sorted. */
  readonly list: (directory: string) => ReadonlyArray<string>
  /** Forgets every file below a directory. */
  readonly clear: (directory: string) => void
}

/** An empty tree. */
export const makeFileTree = (): FileTree => {
  const files = new Map<string, Uint8Array>()
  const encoder = new TextEncoder()
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const below = (directory: string) => [...files.keys()].filter((path) => path.startsWith(`${directory}/`))
  return {
    write: (path, content) => {
      if (below(path).length > 0) return "it is a directory"
      for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
        if (files.has(path.slice(0, end))) return "a part of the path is a file where a directory has to be"
      }
      files.set(path, typeof content === "string" ? encoder.encode(content) : content.slice())
      return undefined
    },
    read: (path) => {
      const content = files.get(path)
      return content === undefined ? undefined : decoder.decode(content)
    },
    list: (directory) =>
      below(directory)
        .map((path) => path.slice(directory.length + 1))
        .sort(),
    clear: (directory) => {
      for (const path of below(directory)) files.delete(path)
    }
  }
}
