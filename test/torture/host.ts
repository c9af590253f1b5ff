import * as fs from "node:fs"
import { createInterface } from "node:readline"
import * as ControlPlane from "@switchyard/core/ControlPlane"
import type { Entry, Event } from "@switchyard/core/Event"
import { EventLog } from "@switchyard/core/EventLog"
import { RunId, type Seq } from "@switchyard/core/Ids"
import { QueryService } from "@switchyard/core/QueryService"
import { Disk } from "@switchyard/node/internal/disk"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { aboutOf, hashOf } from "./content.js"
import { makeDisk } from "./disk.js"
import type { Report, Request } from "./messages.js"
import { agentsOf, registration, retention } from "./workload.js"

// A host to be killed. It takes requests on its standard input and reports on its standard output, which no program that it
// starts inherits. A report is with the parent before the next thing happens.

/** The run of the raw entries; nothing executes it. */
const raw = RunId.make("raw")

const report = (message: Report): void => {
  fs.writeSync(1, `${JSON.stringify(message)}\n`)
}

const defect = (error: unknown): void =>
  report({ t: "defect", message: error instanceof Error ? (error.stack ?? error.message) : String(error) })

process.on("uncaughtException", defect)
process.on("unhandledRejection", defect)

type Go = Extract<Request, { readonly t: "go" }>
type Subject = Pick<Extract<Report, { readonly t: "refused" }>, "what" | "subject">

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""

/** Opens the directory and serves requests until the host dies or has finished. */
const serve = async (go: Go, requests: AsyncIterable<Request>): Promise<void> => {
  const { cycle, directory, durable, marker } = go
  let isBack = false
  let work: (() => void) | undefined
  const disk = makeDisk(cycle, durable, {
    dying: (where) => report({ t: "dying", where }),
    failing: (kind) => report({ t: "fault", kind }),
    working: () => {
      isBack = true
      work?.()
    }
  })
  const agents = agentsOf(marker, (item) => report({ t: "call", item }))
  const layer = Layer.provide(
    Switchyard.layer({
      directory,
      agents,
      retention,
      orphanGrace: "20 millis",
      maxConcurrentRuns: 6,
      log: {
        maxSegmentBytes: 96 * 1024,
        tailEntries: 256,
        ...(cycle.inline === undefined ? {} : { maxInlineBytes: cycle.inline }),
        audit: cycle.audit
      }
    }),
    Layer.succeed(Disk, disk)
  ).pipe(
    Layer.provideMerge(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )
  const runtime = ManagedRuntime.make(layer)
  const opened = await runtime.runPromiseExit(
    Effect.all({ plane: ControlPlane.ControlPlane, log: EventLog, query: QueryService })
  )
  if (Exit.isFailure(opened)) {
    const error = Cause.squash(opened.cause)
    if (Cause.isFailure(opened.cause)) {
      report({ t: "notOpened", tag: tagOf(error), message: String(error) })
    } else defect(error)
    process.exit(3)
  }
  const { log, plane, query } = opened.value

  /** Runs what a request asks for; typed errors are answers, and anything else is a defect. */
  const attempt = <A, E>(effect: Effect.Effect<A, E>, subject: Subject, done: (value: A) => void): void => {
    runtime.runFork(
      Effect.matchCause(effect, {
        onSuccess: done,
        onFailure: (cause) => {
          if (Cause.isInterruptedOnly(cause)) return
          const error = Cause.squash(cause)
          if (!Cause.isFailure(cause)) defect(error)
          else report({ t: "refused", ...subject, tag: tagOf(error), message: String(error) })
        }
      })
    )
  }

  const watch = ({ result, runId }: ControlPlane.RunHandle): void => {
    runtime.runFork(
      Effect.matchCause(result, {
        onSuccess: ({ status }) => report({ t: "ended", runId, status }),
        onFailure: (cause) => {
          if (!Cause.isFailure(cause) && !Cause.isInterruptedOnly(cause)) defect(Cause.squash(cause))
        }
      })
    )
  }

  const command = ({ command, id, runId }: Extract<Request, { readonly t: "command" }>): void =>
    attempt(plane.sendCommand(runId, command, id), { what: "command", subject: id }, () =>
      report({ t: "accepted", id, runId, command: command._tag })
    )

  work = () => {
    if (cycle.fault?.kind === "sync" || cycle.fault?.kind === "syncs") return
    attempt(plane.recover, { what: "register", subject: "recovery" }, (runs) => {
      runs.forEach(watch)
      report({ t: "recovered" })
    })
  }

  const seen = (entries: ReadonlyArray<Entry>): void =>
    report({
      t: "seen",
      entries: entries.map((entry) => [
        entry.seq,
        hashOf(entry),
        entry.runId,
        entry.event._tag,
        aboutOf(entry.event)
      ])
    })

  runtime.runFork(
    Stream.runForEach(Stream.chunks(log.follow({ after: go.after as Seq })), (entries) =>
      Effect.sync(() => seen(Chunk.toReadonlyArray(entries)))
    ).pipe(
      Effect.tapErrorCause((cause) =>
        Effect.sync(() => (Cause.isInterruptedOnly(cause) ? undefined : defect(Cause.squash(cause))))
      )
    )
  )
  report({ t: "ready" })
  if (isBack) work()

  for await (const request of requests) {
    switch (request.t) {
      case "register": {
        const { id } = request.run
        attempt(plane.registerRun(registration(request.run)), { what: "register", subject: id }, (run) => {
          report({ t: "registered", id })
          watch(run)
        })
        break
      }
      case "command":
        command(request)
        break
      case "append": {
        const events = request.notes.map(
          (note) => ({ _tag: "StepSkipped", stepId: "raw", reason: `note ${note}` }) as Event
        )
        const subject = request.notes.join(",")
        attempt(log.append(raw, events), { what: "append", subject }, (entries) =>
          report({
            t: "appended",
            entries: entries.map((entry, i) => [request.notes[i] ?? -1, entry.seq, hashOf(entry)])
          })
        )
        break
      }
      case "finish":
        await runtime.runPromise(query.sync)
        await runtime.dispose()
        report({ t: "finished" })
        process.exit(0)
    }
  }
}

async function* requestsOf(lines: AsyncIterator<string>): AsyncGenerator<Request> {
  for (;;) {
    const { done, value } = await lines.next()
    // Whoever has no parent any more must not go on.
    if (done) process.exit(4)
    yield JSON.parse(value)
  }
}

report({ t: "loaded" })
const requests = requestsOf(createInterface({ input: process.stdin })[Symbol.asyncIterator]())
const first = await requests.next()
if (!first.done && first.value.t === "go") await serve(first.value, requests)
