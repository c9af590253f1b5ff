import * as DefinitionHash from "../DefinitionHash.js"
import type { Definition } from "../WorkflowDefinition.js"

const known = new WeakMap<Definition, DefinitionHash.DefinitionHash>()

/** The hash of a definition that nobody changes any more, computed once: that of a plan or of a recorded run. */
export const pinnedHash = (definition: Definition): DefinitionHash.DefinitionHash => {
  const found = known.get(definition)
  if (found !== undefined) return found
  const hash = DefinitionHash.make(definition)
  known.set(definition, hash)
  return hash
}
