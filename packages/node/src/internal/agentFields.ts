import { Capability } from "@switchyard/core/Capability"
import { Metadata } from "@switchyard/core/Event"
import { AgentId } from "@switchyard/core/Ids"
import { Permission } from "@switchyard/core/Permission"
import * as Schema from "effect/Schema"
import type { AnyAgentKind } from "../AgentKind.js"

const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description })

const { constraints, inputTypes, outputTypes, priority, skill } = Capability.fields

const CapabilityField = Schema.Union(
  Schema.NonEmptyString,
  Schema.Struct({
    skill: Schema.propertySignature(skill).annotations({ description: "What it can do." }),
    inputTypes: optional(inputTypes, "The types that it takes; any by default."),
    outputTypes: optional(outputTypes, "The types that it gives; any by default."),
    constraints: optional(constraints, "Its limits and properties, such as maxFileSize: 10MB."),
    priority: optional(priority, "Higher ones are preferred before anything else is weighed; 0 by default.")
  })
)

const { author, description, name, tags, version } = Metadata.fields

const MetadataField = Schema.Struct({
  name: optional(name, "What people call it; its id by default."),
  version: optional(version, "Its version."),
  description: optional(description, "What it is for."),
  author: optional(author, "Who wrote it."),
  tags: optional(tags, "Words to find it by.")
})

/** The fields of agents of all kinds. */
export const CommonFields = Schema.Struct({
  id: optional(AgentId, "The name of the agent; that of the file by default."),
  kind: optional(Schema.NonEmptyString, "What makes the agent; process by default."),
  metadata: optional(MetadataField, "What people should know of it."),
  capabilities: optional(Schema.Array(CapabilityField), "What it can do: skills, or more of each."),
  requires: optional(Schema.Array(Permission), "What a run has to grant it beside what its kind needs."),
  enabled: optional(Schema.Boolean, "Whether it is given work; it is by default.")
})
export type CommonFields = typeof CommonFields.Type

const names: ReadonlySet<string> = new Set(Object.keys(CommonFields.fields))

type Parts = Readonly<Record<string, unknown>>

const partsWhere = (parts: Parts, isTaken: (name: string) => boolean): Parts =>
  Object.fromEntries(Object.entries(parts).filter(([each]) => isTaken(each)))

/** The fields of a description that all agents have. */
export const commonOf = (parts: Parts): Parts => partsWhere(parts, (each) => names.has(each))

/** The fields of a description that its kind gives a meaning to. */
export const ownOf = (parts: Parts): Parts => partsWhere(parts, (each) => !names.has(each))

const wholes = new WeakMap<AnyAgentKind, Schema.Schema.AnyNoContext>()

/** All fields of a description of a kind; the same Schema each time, so that it is compiled once. */
export const wholeOf = (kind: AnyAgentKind): Schema.Schema.AnyNoContext => {
  const known = wholes.get(kind)
  if (known !== undefined) return known
  const whole = Schema.extend(CommonFields, kind.schema)
  wholes.set(kind, whole)
  return whole
}
