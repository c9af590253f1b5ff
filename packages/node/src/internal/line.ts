import { crc32 } from "node:zlib"
import type { Entry } from "@switchyard/core/Event"

const head = '{"crc":"'
const headLength = head.length + 8 + 2

/** The line of an entry, newline included: a JSON object whose first key is the CRC-32 of what follows that key. */
export const encode = (entry: Entry): string => {
  const rest = JSON.stringify(entry).slice(1)
  return `${head}${crc32(rest).toString(16).padStart(8, "0")}",${rest}\n`
}

/** An entry, or in words why a line (without its newline) is none. */
export const decode = (line: string): Entry | string => {
  if (!line.startsWith(head) || line.length <= headLength) return "it does not begin as an entry does"
  const rest = line.slice(headLength)
  if (crc32(rest).toString(16).padStart(8, "0") !== line.slice(head.length, head.length + 8)) {
    return "its checksum does not match its content"
  }
  try {
    return JSON.parse(`{${rest}`)
  } catch {
    return "it is not JSON"
  }
}
