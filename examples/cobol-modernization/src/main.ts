import { stat } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ControlPlane, type RunHandle, type RunResult } from "@switchyard/core/ControlPlane"
import { QueryService } from "@switchyard/core/QueryService"
import { WorkspaceService } from "@switchyard/core/WorkspaceService"
import * as Switchyard from "@switchyard/node/Switchyard"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { endpointFrom } from "./agents/LanguageModel.js"
import { agents, modernization } from "./Modernization.js"
import { type Summary, summaryOf } from "./Summary.js"
import { makeProgress, summaryText } from "./Terminal.js"

const help = `Reads COBOL, maps its dependencies, translates it to Java, compiles that, and writes reports.

Usage: npm run demo -- [options]

  --source DIR       the COBOL to read (the sample of a bank that comes with this example)
  --data DIR         where log, index and workspaces are kept (.switchyard)
  --concurrency N    how many programs are worked on at once (4)
  --json             print one JSON object at the end, and nothing else
  --help             print this

With OPENAI_BASE_URL, or OPENAI_API_KEY and OPENAI_MODEL, a language model translates instead of the rules.
Ctrl-C cancels the run and keeps what it has done.`

interface Settings {
  readonly source: string
  readonly data: string
  readonly concurrency: number
  readonly json: boolean
  readonly help: boolean
}

/** What was asked for on the command line, or what is wrong with it. */
const readSettings = async (args: ReadonlyArray<string>): Promise<Settings | string> => {
  const options = {
    source: { type: "string" },
    data: { type: "string" },
    concurrency: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  } as const
  try {
    const { values } = parseArgs({ args: [...args], options })
    const concurrency = Number(values.concurrency)
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      return `--concurrency takes a whole number from 1 on, not ${JSON.stringify(values.concurrency)}`
    }
    const sample = join(dirname(fileURLToPath(import.meta.url)), "..", "sample")
    const source = resolve(values.source ?? sample)
    const found = await stat(source).catch(() => undefined)
    if (!found?.isDirectory()) return `--source ${source} is not a directory`
    return {
      source,
      data: resolve(values.data ?? ".switchyard"),
      concurrency,
      json: values.json,
      help: values.help
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** Cancels a run at the first signal and gives up waiting at the second; tells through `stopped` which one came. */
const cancelOnSignal = (run: RunHandle, stopped: (code: number) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let asked = false
      const listeners = Object.entries(signals).map(([signal, code]) => {
        const listener = () => {
          if (asked) process.exit(code)
          asked = true
          stopped(code)
          Effect.runFork(Effect.ignore(run.control({ _tag: "Cancel", reason: `${signal} was received` })))
        }
        process.on(signal, listener)
        return () => process.off(signal, listener)
      })
      return listeners
    }),
    (removals) =>
      Effect.sync(() => {
        for (const remove of removals) remove()
      })
  )

const summarize = (run: RunHandle, result: RunResult) =>
  Effect.gen(function* () {
    const query = yield* QueryService
    yield* query.sync
    const failures = yield* Effect.forEach(
      result.steps.filter(({ failed }) => failed > 0),
      ({ stepId }) => Effect.map(query.getItems(run.runId, stepId, { limit: 1000 }), ({ items }) => items)
    )
    const workspaces = yield* WorkspaceService
    const reports = yield* workspaces.get(run.runId).pipe(
      Effect.flatMap((workspace) =>
        Effect.map(workspace.list("reports"), (names) =>
          names.map((name) => join(workspace.reportsDir, name))
        )
      ),
      Effect.orElseSucceed((): ReadonlyArray<string> => [])
    )
    return summaryOf(
      result,
      reports,
      failures
        .flat()
        .flatMap(({ failure, item, status, stepId }) =>
          status === "Failed" && failure !== null ? [{ stepId, item, reason: failure.message }] : []
        )
    )
  })

const program = ({ concurrency, json, source }: Settings, stopped: (code: number) => void) =>
  Effect.scoped(
    Effect.gen(function* () {
      const plane = yield* ControlPlane
      const run = yield* plane.registerRun({ workflow: modernization, params: { source }, concurrency })
      yield* cancelOnSignal(run, stopped)
      const progress = json ? undefined : makeProgress(process.stderr, process.env)
      const watching = yield* Effect.fork(
        progress === undefined
          ? Stream.runDrain(run.events)
          : Stream.runForEach(run.events, (entry) => Effect.sync(() => progress.show(entry)))
      )
      const result = yield* run.result
      yield* Fiber.join(watching)
      progress?.end()
      return yield* summarize(run, result)
    })
  )

const print = (summary: Summary, json: boolean) =>
  process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary))

const main = async (): Promise<number> => {
  const settings = await readSettings(process.argv.slice(2))
  if (typeof settings === "string") {
    process.stderr.write(`${settings}\nTry --help.\n`)
    return 2
  }
  if (settings.help) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  let signalled: number | undefined
  const exit = await program(settings, (code) => {
    signalled = code
  }).pipe(
    Effect.provide(Switchyard.layer({ directory: settings.data, agents: agents(endpointFrom(process.env)) })),
    // Data goes to stdout, everything else does not.
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))),
    Effect.runPromiseExit
  )
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return signalled ?? 1
  }
  print(exit.value, settings.json)
  return signalled ?? (exit.value.status === "Completed" ? 0 : 1)
}

process.exitCode = await main()
