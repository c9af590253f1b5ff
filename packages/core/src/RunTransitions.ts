import type { Event } from "./Event.js"
import type { RunStatus } from "./RunState.js"

/**
 * The legal transitions: for each event that changes the status, what it leads to from each status it may occur in.
 * Events that are not listed leave the status alone and may occur until the run is terminal.
 */
export const transitions: { readonly [Tag in Event["_tag"]]?: { readonly [From in RunStatus]?: RunStatus } } =
  {
    RunStarted: { Queued: "Running" },
    PauseRequested: { Queued: "Queued", Running: "Running" },
    RunPaused: { Queued: "Paused", Running: "Paused" },
    ResumeRequested: { Paused: "Queued", Queued: "Queued", Running: "Running", Interrupted: "Interrupted" },
    RunResumed: { Queued: "Running" },
    ConcurrencySet: { Queued: "Queued", Running: "Running", Paused: "Paused", OverBudget: "OverBudget" },
    ApprovalDecided: { Queued: "Queued", Running: "Running", Paused: "Paused", OverBudget: "OverBudget" },
    SignalReceived: { Queued: "Queued", Running: "Running", Paused: "Paused", OverBudget: "OverBudget" },
    RunOverBudget: { Queued: "OverBudget", Running: "OverBudget" },
    BudgetRaised: { Queued: "Queued", Running: "Running", Paused: "Paused", OverBudget: "Queued" },
    OwnerBudgetRaised: { Queued: "Queued", Running: "Running", Paused: "Paused", OverBudget: "Queued" },
    RunMigrated: { Paused: "Paused", Interrupted: "Interrupted" },
    CancelRequested: {
      Queued: "Cancelling",
      Running: "Cancelling",
      Paused: "Cancelling",
      OverBudget: "Cancelling",
      Cancelling: "Cancelling",
      Interrupted: "Interrupted"
    },
    RunCompensating: { Queued: "Queued", Running: "Running", Cancelling: "Cancelling" },
    RunInterrupted: {
      Queued: "Interrupted",
      Running: "Interrupted",
      Paused: "Interrupted",
      OverBudget: "Interrupted",
      Cancelling: "Interrupted"
    },
    RunRecovered: { Interrupted: "Queued" },
    RunCompleted: { Running: "Completed" },
    RunFailed: { Queued: "Failed", Running: "Failed" },
    RunCancelled: { Cancelling: "Cancelled" }
  }

/** Whether no event can follow. */
export const isTerminal = (status: RunStatus): boolean =>
  status === "Completed" || status === "Failed" || status === "Cancelled"
