/** The two EBCDIC code pages of mainframe COBOL; they differ only in a few special characters. */
export type EbcdicPage = "cp037" | "cp1047"

const cp037 = [
  "000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f",
  "80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a",
  "20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac",
  "2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22",
  "d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4",
  "b57e737475767778797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d7",
  "7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff",
  "5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f"
].join("")

const swapsOf1047: Readonly<Record<number, string>> = {
  95: "^",
  173: "[",
  176: "\u00ac",
  186: "\u00dd",
  187: "\u00a8",
  189: "]"
}

const charOf = (byte: number, page: EbcdicPage): string =>
  (page === "cp1047" ? swapsOf1047[byte] : undefined) ??
  String.fromCharCode(Number.parseInt(cp037.slice(byte * 2, byte * 2 + 2), 16))

const isLetterOrDigit = (byte: number): boolean =>
  (byte >= 0x81 && byte <= 0xa9 && (byte & 0x0f) <= 9) ||
  (byte >= 0xc1 && byte <= 0xe9 && (byte & 0x0f) <= 9) ||
  (byte >= 0xf0 && byte <= 0xf9)

const isNewline = (byte: number): boolean => byte === 0x15 || byte === 0x25

/** True when the bytes read as mostly EBCDIC letters, digits and blanks and hardly any ASCII blank. */
export const looksEbcdic = (bytes: Uint8Array): boolean => {
  const sample = bytes.subarray(0, 64_000)
  let blanks = 0
  let asciiBlanks = 0
  let letters = 0
  let others = 0
  for (const byte of sample) {
    if (byte === 0x40) blanks++
    else if (isLetterOrDigit(byte)) letters++
    else if (byte === 0x20) asciiBlanks++
    else if (!isNewline(byte) && byte !== 0x0d && (byte < 0x4a || byte > 0x7f)) others++
  }
  return (
    letters > sample.length * 0.2 && blanks > asciiBlanks * 10 && others <= sample.length * 0.05 && blanks > 0
  )
}

/** The page that explains the brackets in use; cp037 when there are none. */
export const pageOf = (bytes: Uint8Array): EbcdicPage =>
  bytes.some((byte) => byte === 0xad || byte === 0xbd) &&
  !bytes.some((byte) => byte === 0xba || byte === 0xbb)
    ? "cp1047"
    : "cp037"

/**
 * The text with ordinary line ends, from records ended by NEL or LF or from fixed records of 80 bytes;
 * undefined when the bytes have neither, so that the records cannot be told apart.
 */
export const decodeEbcdic = (bytes: Uint8Array, page: EbcdicPage): string | undefined => {
  const hasNewlines = bytes.some(isNewline)
  if (!hasNewlines && bytes.length % 80 !== 0) return undefined
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0x40
    if (hasNewlines && isNewline(byte)) parts.push("\n")
    else parts.push(charOf(byte, page))
    if (!hasNewlines && at % 80 === 79) parts.push("\n")
  }
  return parts.join("")
}
