/** A part of a JSON Schema. */
export interface Part {
  readonly [key: string]: unknown
}

/** Whether something is an object of a JSON Schema. */
export const isPart = (value: unknown): value is Part =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isPart(value) && Object.keys(value).length === 0

/** Whether a definition is about one value, or about all values that there are in JSON. */
const isSimple = (part: Part): boolean => !("properties" in part || "items" in part || "anyOf" in part)

/** What stands in the place of a reference, where it is not the definition that it refers to. */
export type Instead = (name: string) => Part | undefined

/**
 * Puts simple definitions where they are referred to, because what stands beside a reference does not count in draft 7, and
 * keeps of titles and descriptions only those of properties: the others describe types, which editors show anyway.
 */
export const tidy = (
  value: unknown,
  definitions: Part,
  isProperty: boolean,
  instead: Instead = () => undefined
): unknown => {
  if (Array.isArray(value)) return value.map((each) => tidy(each, definitions, false, instead))
  if (!isPart(value)) return value
  const { $ref, description, title: _, ...own } = value
  const explained = isProperty && typeof description === "string" ? { description } : {}
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1)
    const target = definitions[name]
    if (name === "Json") return explained
    const other = instead(name)
    if (other !== undefined) return { ...explained, ...other }
    if (isPart(target) && isSimple(target)) {
      const { description: _, ...simple } = target
      return tidy({ ...simple, ...own, ...explained }, definitions, isProperty, instead)
    }
    return { ...explained, allOf: [{ $ref }] }
  }
  const { allOf, ...rest } = own
  if (Array.isArray(allOf) && allOf.length === 1 && isPart(allOf[0])) {
    const { description: _, ...inner } = allOf[0]
    return tidy({ ...inner, ...rest, ...explained }, definitions, isProperty, instead)
  }
  const parts = Object.entries(own)
    .filter(([key, each]) => !(isEmpty(each) && (key === "required" || key === "properties")))
    .map(([key, each]) => {
      if (key !== "properties" || !isPart(each))
        return [key, tidy(each, definitions, false, instead)] as const
      const properties = Object.entries(each).map(
        ([name, property]) => [name, tidy(property, definitions, true, instead)] as const
      )
      return [key, Object.fromEntries(properties)] as const
    })
  return { ...explained, ...Object.fromEntries(parts) }
}
