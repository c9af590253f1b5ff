import * as Schema from "effect/Schema"
import { logId, RunId } from "./Ids.js"

/** No run has this id. */
export class RunNotFound extends Schema.TaggedError<RunNotFound>()("RunNotFound", { runId: Schema.String }) {
  override get message() {
    return `There is no run ${this.runId} in this directory; list the runs to see their ids`
  }
}

/** The id was given to another run before. */
export class RunExists extends Schema.TaggedError<RunExists>()("RunExists", { runId: RunId }) {
  override get message() {
    return `Run ${this.runId} exists with another workflow or other parameters; leave the id out, or choose another`
  }
}

/** An id that cannot be one. */
export class InvalidId extends Schema.TaggedError<InvalidId>()("InvalidId", { id: Schema.String }) {
  override get message() {
    return `${JSON.stringify(this.id)} is not an id: use 1 to 128 letters, digits, ".", "_" or "-", beginning with a letter or digit, and not ${logId}`
  }
}

/** A run that cannot be done again as it was asked; nothing was recorded. */
export class RerunRefused extends Schema.TaggedError<RerunRefused>()("RerunRefused", {
  runId: RunId,
  reason: Schema.String
}) {
  override get message() {
    return `Cannot do run ${this.runId} again: ${this.reason}`
  }
}

/** A run that cannot go on by another plan, with everything that speaks against it; nothing was recorded. */
export class MigrationRefused extends Schema.TaggedError<MigrationRefused>()("MigrationRefused", {
  runId: RunId,
  reasons: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))
}) {
  override get message() {
    const lines = this.reasons.map(({ message, path }) => `  ${path}: ${message}`)
    return [`Run ${this.runId} cannot go on by this workflow:`, ...lines].join("\n")
  }
}
