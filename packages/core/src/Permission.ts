import * as Schema from "effect/Schema"

const tool = /^tool:[^\s]+$/

/**
 * Something that an agent may do for a run: read or write files of the workspace, ask language models, execute programs, use the
 * network, or call one named tool (`tool:search`).
 */
export const Permission = Schema.Union(
  // Each by itself, so that what is misspelt is compared with all of them.
  ...(["ReadFiles", "WriteFiles", "InvokeModel", "Execute", "Network"] as const).map((name) =>
    Schema.Literal(name)
  ),
  Schema.TemplateLiteral("tool:", Schema.String).pipe(
    Schema.pattern(tool, { message: () => 'name the tool after "tool:", as in "tool:search"' })
  )
)
export type Permission = typeof Permission.Type

/** Everything that a run grants to its agents; where nothing is granted expressly, `undefined`, everything is allowed. */
export type Granted = ReadonlyArray<Permission> | undefined

/** Whether a permission is granted. */
export const allows = (granted: Granted, permission: Permission): boolean =>
  granted === undefined || granted.includes(permission)

/** What both grant: nobody hands over more than it has. */
export const attenuate = (granted: Granted, to: Granted): Granted =>
  to === undefined ? granted : granted === undefined ? to : to.filter((each) => granted.includes(each))

/** What the second grants and the first does not; `"everything"` where only the second one restricts nothing. */
export const excess = (granted: Granted, wanted: Granted): ReadonlyArray<Permission> | "everything" =>
  granted === undefined
    ? []
    : wanted === undefined
      ? "everything"
      : wanted.filter((each) => !granted.includes(each))
