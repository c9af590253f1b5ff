import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { Json } from "../Json.js"

/** The canonical form of a value by RFC 8785: keys in the order of their UTF-16 units, numbers and texts as ECMAScript writes them. */
export const canonicalOf = (value: Json): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalOf).join(",")}]`
  const object = value as { readonly [key: string]: Json | undefined }
  const members: Array<string> = []
  for (const key of Object.keys(object).sort()) {
    const each = object[key]
    // JSON leaves out what is not defined.
    if (each !== undefined) members.push(`${JSON.stringify(key)}:${canonicalOf(each)}`)
  }
  return `{${members.join(",")}}`
}

/** The SHA-256 of the canonical form in UTF-8, as 64 hexadecimal digits. */
export const contentHash = (value: Json): string => bytesToHex(sha256(utf8ToBytes(canonicalOf(value))))
