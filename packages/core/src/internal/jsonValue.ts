import type { Json } from "../Json.js"

// Values are known to be JSON here, so that nothing is written as text and read again to copy or to compare them.

/** A deep copy. */
export const copyOf = <A extends Json>(value: A): A => {
  // JSON has no negative zero, so it would not come back from the log as one.
  if (value === 0) return 0 as A
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as unknown as A
  const copy: Record<string, Json> = {}
  for (const [key, each] of Object.entries<Json>(value as { readonly [key: string]: Json })) {
    // Assigning to this one would change the prototype instead.
    if (key === "__proto__") {
      Object.defineProperty(copy, key, {
        value: copyOf(each),
        configurable: true,
        enumerable: true,
        writable: true
      })
    } else copy[key] = copyOf(each)
  }
  return copy as A
}

/** Whether two values hold the same, in whatever order the keys of their objects stand. */
export const isSame = (a: Json, b: Json): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((each, index) => isSame(each, b[index] as Json))
    )
  }
  const left = a as { readonly [key: string]: Json }
  const right = b as { readonly [key: string]: Json }
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key] as Json, right[key] as Json))
  )
}
