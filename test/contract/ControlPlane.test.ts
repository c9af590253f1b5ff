import { describe, it } from "@effect/vitest"
import { AgentQueryLaws } from "@switchyard/core/testing/AgentQueryLaws"
import { AgentUseLaws } from "@switchyard/core/testing/AgentUseLaws"
import { BudgetLaws } from "@switchyard/core/testing/BudgetLaws"
import { BudgetRecoveryLaws } from "@switchyard/core/testing/BudgetRecoveryLaws"
import { CommandLaws } from "@switchyard/core/testing/CommandLaws"
import { CompensationLaws } from "@switchyard/core/testing/CompensationLaws"
import { CompensationRecoveryLaws } from "@switchyard/core/testing/CompensationRecoveryLaws"
import { ControlPlaneLaws } from "@switchyard/core/testing/ControlPlaneLaws"
import { FamilyBudgetLaws } from "@switchyard/core/testing/FamilyBudgetLaws"
import { FamilyQueryLaws } from "@switchyard/core/testing/FamilyQueryLaws"
import { InterruptionLaws } from "@switchyard/core/testing/InterruptionLaws"
import { layer } from "@switchyard/core/testing/MemoryPlane"
import { MigrationLaws } from "@switchyard/core/testing/MigrationLaws"
import { QueryLaws } from "@switchyard/core/testing/QueryLaws"
import { RecoveryLaws } from "@switchyard/core/testing/RecoveryLaws"
import { RerunLaws } from "@switchyard/core/testing/RerunLaws"
import { SubworkflowLaws } from "@switchyard/core/testing/SubworkflowLaws"
import { SubworkflowRecoveryLaws } from "@switchyard/core/testing/SubworkflowRecoveryLaws"
import { ValidationLaws } from "@switchyard/core/testing/ValidationLaws"
import { WaitingLaws } from "@switchyard/core/testing/WaitingLaws"
import { WaitingQueryLaws } from "@switchyard/core/testing/WaitingQueryLaws"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { temporaryDirectory } from "../node/temporary.js"

const layerNode = () =>
  Layer.unwrapScoped(Effect.map(temporaryDirectory, (directory) => Switchyard.layer({ directory })))

const layers = [
  ["memory", () => layer()],
  ["one directory", layerNode]
] as const

const suites = [
  ["registration", ControlPlaneLaws],
  ["commands", CommandLaws],
  ["validation", ValidationLaws],
  ["recovery", RecoveryLaws],
  ["interruptions", InterruptionLaws],
  ["waiting", WaitingLaws],
  ["use of agents", AgentUseLaws],
  ["re-runs", RerunLaws],
  ["subworkflows", SubworkflowLaws],
  ["subworkflows of interrupted runs", SubworkflowRecoveryLaws],
  ["compensations", CompensationLaws],
  ["compensations of interrupted runs", CompensationRecoveryLaws],
  ["migrations", MigrationLaws],
  ["budgets", BudgetLaws],
  ["budgets of runs whose items are runs", FamilyBudgetLaws],
  ["budgets of time and of owners", BudgetRecoveryLaws],
  ["queries", QueryLaws],
  ["queries about items that are runs", FamilyQueryLaws],
  ["queries about waiting steps", WaitingQueryLaws],
  ["queries about agents", AgentQueryLaws]
] as const

describe.each(layers)("ControlPlane: %s", (_, build) => {
  describe.each(suites)("%s", (_, laws) => {
    for (const { check, name } of laws) {
      it.effect(name, () => Effect.provide(check, build()))
    }
  })
})
