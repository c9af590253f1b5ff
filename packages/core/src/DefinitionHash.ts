import * as Schema from "effect/Schema"
import { contentHash } from "./internal/contentHash.js"
import type { Json } from "./Json.js"
import type { Definition } from "./WorkflowDefinition.js"

/**
 * Names a definition by its content: the SHA-256 of its canonical JSON (https://www.rfc-editor.org/rfc/rfc8785), as 64
 * hexadecimal digits in lower case.
 */
export const DefinitionHash = Schema.String.pipe(
  Schema.pattern(/^[0-9a-f]{64}$/, { identifier: "DefinitionHash" }),
  Schema.brand("DefinitionHash")
)
export type DefinitionHash = typeof DefinitionHash.Type

/**
 * The hash of a definition, which has to be JSON throughout. Definitions that hold the same hash alike, in whatever order
 * their keys stand; the order of lists counts, that of the steps as well.
 */
export const make = (definition: Definition): DefinitionHash =>
  contentHash(definition as unknown as Json) as DefinitionHash
