import type { Json } from "../Json.js"

const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** The text of a JSON value that does not depend on the order of keys, so that equal values have equal texts. */
export const canonical = (value: Json | object): string => JSON.stringify(value, sorted)
