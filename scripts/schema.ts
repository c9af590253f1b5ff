import { writeFileSync } from "node:fs"
import { jsonSchema } from "@switchyard/node/WorkflowFile"

writeFileSync(
  new URL("../docs/workflow.schema.json", import.meta.url),
  `${JSON.stringify(jsonSchema, null, 2)}\n`
)
