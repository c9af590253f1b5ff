import { closest, distance } from "fastest-levenshtein"

/** The known name that `name` comes nearest to, where it is near enough to be meant. */
const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  if (known.length === 0) return undefined
  const near = closest(
    name.toLowerCase(),
    known.map((each) => each.toLowerCase())
  )
  const left = [...near]
  const shared = [...name.toLowerCase()].filter((character) => {
    const at = left.indexOf(character)
    return at >= 0 && left.splice(at, 1).length > 0
  }).length
  const apart = distance(name.toLowerCase(), near)
  const isNear = shared * 2 > name.length || (apart < name.length && apart <= Math.ceil(near.length / 2))
  return isNear ? known.find((each) => each.toLowerCase() === near) : undefined
}

/** `; did you mean "x"?` where a known name is near enough to be meant, otherwise nothing. */
export const didYouMean = (name: string, known: ReadonlyArray<string>): string => {
  const found = nearest(name, known)
  return found === undefined ? "" : `; did you mean "${found}"?`
}

/** The known name that `name` is a slip of the finger away from, which is safe to take for what was meant. */
export const typoOf = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const found = nearest(name, known)
  if (found === undefined) return undefined
  return distance(name.toLowerCase(), found.toLowerCase()) <= Math.ceil(found.length / 4) ? found : undefined
}
