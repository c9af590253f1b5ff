/** Bytes as text of which each character is one byte, which is how programs' output is looked through. */
export const bytesAsText = (text: string): string =>
  encodeURIComponent(
    text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD")
  ).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/**
 * What Base64 makes of these bytes wherever they stand in longer ones, without the characters that depend on what is before
 * and after them.
 */
const base64At = (bytes: string, offset: number): string => {
  let text = ""
  for (let bit = Math.ceil((offset * 8) / 6) * 6 - offset * 8; bit + 6 <= bytes.length * 8; bit += 6) {
    const at = bit >> 3
    const pair = (bytes.charCodeAt(at) << 8) | (at + 1 < bytes.length ? bytes.charCodeAt(at + 1) : 0)
    text += alphabet[(pair >> (10 - (bit & 7))) & 63]
  }
  return text
}

/** Base64 of these bytes alone. */
const base64Of = (bytes: string): string => {
  const whole = base64At(`${bytes}\0\0`, 0).slice(0, Math.ceil((bytes.length * 8) / 6))
  return whole.padEnd(Math.ceil(whole.length / 4) * 4, "=")
}

/** The shortest piece of Base64 that is not mistaken for something else. */
const leastBase64 = 6

/** The shortest line of a secret of several lines that counts by itself. */
const leastLine = 12

const jsonEscaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/**
 * All that a secret may look like where it is written down: as it is, inside JSON, also inside JSON that is a text in JSON,
 * in URLs and forms, in Base64 at any place of a longer text, in hexadecimal, and each longer line of it by itself.
 */
export const formsOf = (secret: string): ReadonlySet<string> => {
  const forms = new Set<string>([secret])
  if (secret.includes("\n")) {
    for (const line of secret.split(/\r?\n/)) if (line.trim().length >= leastLine) forms.add(line.trim())
  }
  for (const text of [...forms]) {
    const escaped = jsonEscaped(text)
    forms.add(escaped).add(jsonEscaped(escaped))
  }
  const bytes = bytesAsText(secret)
  const url = encodeURIComponent(
    secret.replace(/[\uD800-\uDFFF]/g, (unit, at: number) => {
      const isPair =
        unit < "\uDC00"
          ? /[\uDC00-\uDFFF]/.test(secret[at + 1] ?? "")
          : /[\uD800-\uDBFF]/.test(secret[at - 1] ?? "")
      return isPair ? unit : "\uFFFD"
    })
  )
  const lower = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  for (const text of [url, lower]) forms.add(text).add(text.replaceAll("%20", "+"))
  const alone = base64Of(bytes)
  for (const text of [
    alone,
    alone.replace(/=+$/, ""),
    ...[0, 1, 2].map((offset) => base64At(bytes, offset))
  ]) {
    if (text.length < leastBase64) continue
    forms.add(text).add(text.replaceAll("+", "-").replaceAll("/", "_"))
  }
  const hex = [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("")
  forms.add(hex).add(hex.toUpperCase())
  for (const text of [...forms]) forms.add(bytesAsText(text))
  return forms
}
