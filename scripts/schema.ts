import { writeFileSync } from "node:fs"
import * as AgentFile from "@switchyard/node/AgentFile"
import * as WorkflowFile from "@switchyard/node/WorkflowFile"
import { agentKinds } from "./agentKinds.js"

const schemas = { workflow: WorkflowFile.jsonSchema, agent: AgentFile.jsonSchema(agentKinds) }

for (const [name, schema] of Object.entries(schemas))
  writeFileSync(
    new URL(`../docs/${name}.schema.json`, import.meta.url),
    `${JSON.stringify(schema, null, 2)}\n`
  )
