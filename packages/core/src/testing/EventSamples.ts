import * as DefinitionHash from "../DefinitionHash.js"
import type { Event, EventOf, StepSummary } from "../Event.js"
import { AgentId, CommandId, RunId, StepId } from "../Ids.js"
import type { Usage } from "../Usage.js"
import type { Definition } from "../WorkflowDefinition.js"

const usage: Usage = { inputTokens: 12, outputTokens: 3, cachedTokens: 4, costMicroUsd: 1_234_567 }
const stepId = StepId.make("step-1")
const agentId = AgentId.make("agent.1")
const commandId = CommandId.make("command_1")
const text = 'é "quoted" \\ \n\r\t \u2028 \u0000 😀 {"a":1}'
const item = { stepId, item: text, index: 3 }
const metrics = { durationMillis: 17, usage, retries: 2 }
const failure = { kind: "RateLimited", message: text, agentId }
const steps = { succeeded: 1, failed: 2, skipped: 3, cancelled: 4 }
const items = { succeeded: 5, failed: 6 }
const ofRun = { steps, items, usage, durationMillis: 9 }
const ofStep: StepSummary = {
  totalItems: 4,
  succeeded: 1,
  failed: 2,
  retries: 3,
  usage,
  durationMillis: 8
}

/** An event that a log waits for, told apart by a number. */
export const note = (n: number): Event => ({ _tag: "StepSkipped", stepId, reason: `note ${n}` })

/** An event that may ride along, told apart by a number. */
export const sign = (n: number): Event => ({
  _tag: "ItemProgress",
  stepId,
  item: "item",
  index: n,
  usage
})

/** Progress of the item that an index stands for, told apart by a number. */
export const progressOf = (index: number, n: number): Event => ({
  _tag: "ItemProgress",
  stepId,
  item: `item ${index}`,
  index,
  message: `progress ${n}`,
  usage
})

/** The registration of a run. */
export const registered: EventOf<"RunRegistered"> = {
  _tag: "RunRegistered",
  workflow: { name: "sample", params: {}, steps: [{ id: stepId, skill: "s" }] },
  params: {},
  tags: []
}

/** The end of a run. */
export const completed: EventOf<"RunCompleted"> = { _tag: "RunCompleted", summary: ofRun }

const changed: Definition = {
  name: text,
  concurrency: 2,
  steps: [
    { id: stepId, skill: "s" },
    { id: StepId.make("step-3"), reduce: { over: [1], initial: text, value: null } }
  ]
}

/** One event of every kind, with text that needs care and values that are easily lost; the terminal ones come last. */
export const kindsOfEvents: ReadonlyArray<Event> = [
  {
    _tag: "RunRegistered",
    workflow: {
      name: text,
      description: "",
      params: { type: "object" },
      onStepFailure: "drain",
      concurrency: 3,
      steps: [
        { id: stepId, skill: "s", input: { list: [1, null, true, [], {}], nested: { "": text } } },
        { id: StepId.make("step-2"), agent: agentId, after: [stepId], forEach: [1, "a", null], when: "true" }
      ]
    },
    params: { deep: [[[{ a: null }]]], number: 0.1, big: 1e21, negative: -1, text },
    concurrency: 2,
    owner: text,
    tags: ["a", "", text],
    budget: { tokens: 1, costMicroUsd: 2, wallMillis: 3, warnAt: 0.5, onBreach: "fail" }
  },
  {
    _tag: "RunRegistered",
    workflow: { ...changed, output: { text, made: "{{ steps.step-1.output }}" } },
    params: null,
    tags: [],
    origin: { runId: RunId.make("origin"), from: "step", stepId },
    inputs: { [stepId]: { text, nothing: null } },
    parent: { runId: RunId.make("parent"), stepId, index: 0 },
    hash: DefinitionHash.make(changed)
  },
  { _tag: "RunStarted" },
  { _tag: "WorkspaceCreated", path: "/tmp/with space" },
  { _tag: "WorkspaceReleased", path: "/tmp/with space", kept: false },
  { _tag: "PauseRequested", commandId, mode: "interrupt" },
  { _tag: "BudgetWarning", scope: "step", stepId, dimension: "costMicroUsd", limit: 10, spent: 8 },
  {
    _tag: "BudgetExceeded",
    scope: "run",
    dimension: "wallMillis",
    limit: 10,
    spent: 11,
    onBreach: "fail"
  },
  { _tag: "BudgetExceeded", scope: "owner", dimension: "tokens", limit: 10, spent: 10, onBreach: "pause" },
  { _tag: "RunOverBudget" },
  { _tag: "BudgetRaised", commandId, stepId, tokens: 20 },
  { _tag: "BudgetRaised", commandId, costMicroUsd: 30, wallMillis: 40 },
  { _tag: "OwnerBudgetRaised" },
  { _tag: "AgentPinned", agentId, revision: 3 },
  { _tag: "RunPaused" },
  { _tag: "ResumeRequested", commandId },
  { _tag: "RunResumed" },
  { _tag: "ConcurrencySet", commandId, limit: 7 },
  { _tag: "RunMigrated", commandId, workflow: changed, hash: DefinitionHash.make(changed) },
  {
    _tag: "RunMigrated",
    commandId,
    workflow: changed,
    hash: DefinitionHash.make(changed),
    params: { deep: [text] }
  },
  { _tag: "ApprovalDecided", commandId, stepId, decision: "approve", by: text, comment: "" },
  { _tag: "ApprovalDecided", commandId, stepId, decision: "reject" },
  { _tag: "SignalReceived", commandId, name: text, payload: { deep: [text, null, 0.5] } },
  { _tag: "CancelRequested", commandId, reason: text },
  { _tag: "CancelRequested", commandId },
  { _tag: "RunCompensating", failure, stepId },
  { _tag: "RunCompensating" },
  { _tag: "RunInterrupted", reason: text },
  { _tag: "RunInterrupted", reason: "", crash: true },
  { _tag: "RunRecovered" },
  { _tag: "StepStarted", stepId, stepType: "skill", totalItems: 0 },
  { _tag: "StepWaiting", stepId, for: "approval", until: 7, message: text, approvers: [text, ""] },
  { _tag: "StepWaiting", stepId, for: "signal", signal: text },
  {
    _tag: "StepReused",
    stepId,
    runId: RunId.make("origin"),
    output: [text],
    items: [{ index: 0, item: text }]
  },
  { _tag: "StepReused", stepId, runId: RunId.make("origin"), output: null },
  { _tag: "StepSkipped", stepId, reason: text },
  { _tag: "StepCompleted", stepId, summary: ofStep },
  { _tag: "StepCompleted", stepId, summary: ofStep, output: { text, nothing: null } },
  { _tag: "StepFailed", stepId, failure, summary: ofStep },
  { _tag: "StepCancelled", stepId, summary: ofStep },
  { _tag: "ItemStarted", ...item, total: 9, attempt: 1, agentId },
  { _tag: "ItemStarted", ...item, total: 9, attempt: 1, childId: RunId.make("parent.step-1.3") },
  { _tag: "ItemStarted", ...item, total: 9, attempt: 1, agentId, childId: RunId.make("child") },
  { _tag: "ItemStarted", ...item, total: 9, attempt: 1 },
  { _tag: "ItemProgress", ...item, progress: 0.25, message: text, usage, remainingMillis: 0 },
  { _tag: "PermissionDenied", ...item, agentId, permission: "tool:search", reason: text },
  { _tag: "PermissionDenied", ...item, permission: "Network", reason: "" },
  { _tag: "ItemCompleted", ...item, attempt: 2, agentId, result: { text, nothing: null }, metrics },
  { _tag: "ItemCompleted", ...item, attempt: 2, result: null, metrics },
  { _tag: "ItemFailed", ...item, attempt: 1, error: failure, metrics },
  {
    _tag: "ItemFailed",
    ...item,
    attempt: 1,
    error: { kind: "Failed", message: "" },
    retry: { attempt: 2, delayMillis: 5, agentId },
    metrics
  },
  {
    _tag: "ItemFailed",
    ...item,
    attempt: 1,
    error: { kind: "QuotaExhausted", message: text },
    retry: { attempt: 2, delayMillis: 60_000, agentId, held: true },
    metrics
  },
  { _tag: "RunCompleted", summary: ofRun },
  { _tag: "RunCompleted", summary: ofRun, output: { text, nothing: null } },
  { _tag: "RunCompleted", summary: ofRun, output: null },
  { _tag: "RunFailed", failure, stepId, summary: ofRun },
  { _tag: "RunFailed", failure, summary: ofRun },
  { _tag: "RunCancelled", reason: text, summary: ofRun },
  { _tag: "RunCancelled", summary: ofRun },
  {
    _tag: "AgentRegistered",
    agentId,
    revision: 2,
    metadata: { name: text, version: "1.0.0", description: "", author: "", tags: [text] },
    capabilities: [
      { skill: "s", inputTypes: ["text"], outputTypes: [], constraints: { maxFileSize: "10MB" }, priority: 1 }
    ],
    kind: "process",
    definition: { command: text },
    source: text,
    requires: ["Execute", "tool:search"]
  },
  {
    _tag: "AgentRegistered",
    agentId,
    revision: 1,
    metadata: { name: "", version: "", description: "", author: "", tags: [] },
    capabilities: []
  },
  { _tag: "AgentUnregistered", agentId },
  { _tag: "AgentEnabled", agentId },
  { _tag: "AgentDisabled", agentId },
  { _tag: "AgentHealthChanged", agentId, health: { _tag: "Degraded", reason: text } },
  { _tag: "AgentHealthChanged", agentId, health: { _tag: "Unhealthy", error: text } },
  { _tag: "AgentHealthChanged", agentId, health: { _tag: "Healthy" } },
  { _tag: "AgentCircuitChanged", agentId, circuit: "Open", until: 1_700_000_000_000, reason: text },
  { _tag: "AgentCircuitChanged", agentId, circuit: "HalfOpen" },
  { _tag: "AgentHeld", agentId, until: 1_700_000_000_000, reason: text },
  { _tag: "RunsRemoved", runs: [RunId.make("removed")], archived: true },
  {
    _tag: "RunsRemoved",
    runs: [RunId.make("removed")],
    archived: false,
    agents: [
      {
        agentId,
        skill: text,
        successes: 1,
        failuresByKind: { Crashed: 2 },
        totalMillis: 12,
        tokens: 3,
        costMicroUsd: 4,
        lastInvocation: 5,
        latest: [
          { seq: 1, time: 2, durationMillis: 3, costMicroUsd: 4 },
          { seq: 2, time: 5, durationMillis: 9, costMicroUsd: 0, failure: "Crashed" }
        ]
      },
      {
        agentId,
        successes: 0,
        failuresByKind: {},
        totalMillis: 0,
        tokens: 0,
        costMicroUsd: 0,
        lastInvocation: 0,
        latest: []
      }
    ]
  }
]
