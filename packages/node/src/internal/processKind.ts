import { kind } from "../ToolDefinition.js"

/** Command-line programs as agents. */
export const processKind = kind
