import { closest } from "fastest-levenshtein"

/** `; did you mean "x"?` where a known name is near enough to be meant, otherwise nothing. */
export const didYouMean = (name: string, known: ReadonlyArray<string>): string => {
  if (known.length === 0) return ""
  const nearest = closest(
    name.toLowerCase(),
    known.map((each) => each.toLowerCase())
  )
  const original = known.find((each) => each.toLowerCase() === nearest)
  const shared = [...name.toLowerCase()].filter((character) => nearest.includes(character)).length
  return original !== undefined && shared * 2 > name.length ? `; did you mean "${original}"?` : ""
}
