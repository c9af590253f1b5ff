import { decodeEbcdic, looksEbcdic, pageOf } from "./Ebcdic.js"

/** The encodings the reader understands; `latin-1` is reported when no Windows-1252 extra occurs. */
export type Encoding =
  | "utf-8"
  | "utf-8-bom"
  | "latin-1"
  | "windows-1252"
  | "utf-16le"
  | "utf-16be"
  | "ebcdic-cp037"
  | "ebcdic-cp1047"

/** Decoded text whose line ends are all `\n`; `lines` counts them. */
export interface SourceText {
  readonly _tag: "Source"
  readonly path: string
  readonly text: string
  readonly encoding: Encoding
  readonly lines: number
}

/** Why a file could not be read as text, with a hint on what would help. */
export interface UnreadableSource {
  readonly _tag: "UnreadableSource"
  readonly path: string
  readonly reason: "empty" | "binary" | "unknown-encoding" | "unknown-records"
  readonly message: string
  readonly hint: string
}

const windows1252 =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178"

const undefinedIn1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d])

const isControl = (byte: number): boolean =>
  (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c) || byte === 0x7f

const decodeStrictly = (label: string, bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const decode1252 = (bytes: Uint8Array): string => {
  const parts: string[] = []
  for (const byte of bytes) {
    parts.push(byte >= 0x80 && byte < 0xa0 ? (windows1252[byte - 0x80] ?? " ") : String.fromCharCode(byte))
  }
  return parts.join("")
}

// Editors of the DOS age end a file with Ctrl-Z and some transfers pad the last block with NULs.
const withoutPadding = (bytes: Uint8Array): Uint8Array => {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x1a || bytes[end - 1] === 0x00)) end--
  return bytes.subarray(0, end)
}

const splitRecords = (text: string): string => {
  if (text.includes("\n") || text.length < 160 || text.length % 80 !== 0) return text
  const records: string[] = []
  for (let at = 0; at < text.length; at += 80) records.push(text.slice(at, at + 80))
  return `${records.join("\n")}\n`
}

const sourceOf = (path: string, decoded: string, encoding: Encoding): SourceText => {
  const text = splitRecords(decoded.replace(/\r\n?/g, "\n").replace(/\f/g, ""))
  const breaks = text.split("\n").length
  return { _tag: "Source", path, text, encoding, lines: text.endsWith("\n") ? breaks - 1 : breaks }
}

const unreadable = (
  path: string,
  reason: UnreadableSource["reason"],
  message: string,
  hint: string
): UnreadableSource => ({ _tag: "UnreadableSource", path, reason, message, hint })

const binary = (path: string, message: string): UnreadableSource =>
  unreadable(path, "binary", message, "Leave object code and data files out of the source directory.")

const utf16 = (bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be"
  return undefined
}

/** Decodes the bytes of one file, or says why they are no text; it never returns mangled text. */
export const readSource = (path: string, bytes: Uint8Array): SourceText | UnreadableSource => {
  const wide = utf16(bytes)
  if (wide !== undefined) {
    const text = decodeStrictly(wide, bytes)
    if (text === undefined || text.includes("\0"))
      return binary(path, "The file starts like UTF-16 but is not.")
    if (text.trim() === "") return unreadable(path, "empty", "The file is empty.", "Remove the file.")
    return sourceOf(path, text, wide)
  }
  const content = withoutPadding(bytes)
  if (content.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))) {
    const isBlank = bytes.length === 0 || content.length > 0
    return isBlank || bytes.every((byte) => byte === 0x1a)
      ? unreadable(path, "empty", "The file is empty.", "Remove the file.")
      : binary(path, "The file holds nothing but NUL bytes.")
  }
  if (looksEbcdic(content)) {
    const page = pageOf(content)
    const text = decodeEbcdic(content, page)
    return text === undefined
      ? unreadable(
          path,
          "unknown-records",
          "The file is EBCDIC without line ends, and its size is no multiple of 80.",
          "Transfer the member in text mode, or with records of 80 bytes."
        )
      : sourceOf(path, text, `ebcdic-${page}`)
  }
  if (content.includes(0x00)) return binary(path, "The file contains NUL bytes.")
  const controls = content.reduce((count, byte) => count + (isControl(byte) ? 1 : 0), 0)
  if (controls > 3 && controls > content.length * 0.005) {
    return binary(path, `The file contains ${controls} control characters.`)
  }
  const utf8 = decodeStrictly("utf-8", content)
  if (utf8 !== undefined) {
    const hasBom = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf
    if (utf8.trim() === "") return unreadable(path, "empty", "The file is empty.", "Remove the file.")
    return sourceOf(path, utf8, hasBom ? "utf-8-bom" : "utf-8")
  }
  const high = content.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0)
  if (high > content.length * 0.3 || content.some((byte) => undefinedIn1252.has(byte))) {
    return unreadable(
      path,
      "unknown-encoding",
      "The file is neither UTF-8, UTF-16, Windows-1252 nor EBCDIC text.",
      "Convert it to UTF-8 first."
    )
  }
  const usesExtras = content.some((byte) => byte >= 0x80 && byte < 0xa0)
  return sourceOf(path, decode1252(content), usesExtras ? "windows-1252" : "latin-1")
}
