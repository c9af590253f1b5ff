import { type Chance, chanceOf } from "./chance.js"
import type { HostProcess } from "./hostProcess.js"
import type { Request } from "./messages.js"
import { type KnownRun, makeRecord, type Record } from "./record.js"
import { answerOf, runRequest } from "./workload.js"

/** What is asked of hosts, one after the other, and what they answer. */
export interface Driver {
  readonly record: Record
  /** Asks a host again for everything that no host has answered. */
  readonly repeat: (host: HostProcess) => void
  /** Asks for something. */
  readonly ask: (host: HostProcess) => void
  /** Sends on the runs that wait for it. */
  readonly sendOn: (host: HostProcess) => void
  /** Appends a raw entry and gives its number. */
  readonly probe: (host: HostProcess) => number
  /** The runs that have not ended. */
  readonly open: () => ReadonlyArray<KnownRun>
}

/** How many runs are under way at once; no others are registered until one has ended. */
const mostOpen = 10

/** Requests in an order that depends on the seed, and on what is answered when. */
export const makeDriver = (seed: number): Driver => {
  const chance: Chance = chanceOf(seed)
  const record = makeRecord()
  const { commands, notes, runs } = record
  let open: Array<KnownRun> = []

  const stillOpen = (): ReadonlyArray<KnownRun> => {
    open = open.filter(({ ended }) => !ended)
    return open
  }

  const register = (host: HostProcess): void => {
    const id = `t${runs.size + 1}`
    const known: KnownRun = {
      request: runRequest(id, chance),
      acknowledged: false,
      ended: false,
      paused: false,
      cancelled: false,
      parked: false,
      waiting: new Set(),
      answers: new Map()
    }
    runs.set(id, known)
    open.push(known)
    host.send({ t: "register", run: known.request })
  }

  const command = (
    host: HostProcess,
    { request: { id: runId } }: KnownRun,
    command: Extract<Request, { readonly t: "command" }>["command"]
  ): string => {
    const id = `c${commands.size + 1}`
    commands.set(id, { runId, id, command, answer: "none" })
    host.send({ t: "command", runId, id, command })
    return id
  }

  /** Says to a step what it waits for, or will; what was not answered is said again, and what was refused anew. */
  const answer = (host: HostProcess, run: KnownRun, stepId: string): void => {
    const said = answerOf(run.request.kind, stepId)
    if (said === undefined) return
    const sent = commands.get(run.answers.get(stepId) ?? "")
    if (sent === undefined || sent.answer === "refused") run.answers.set(stepId, command(host, run, said))
    else if (sent.answer === "none")
      host.send({ t: "command", runId: sent.runId, id: sent.id, command: sent.command })
  }

  const append = (host: HostProcess, count: number): number => {
    const added = Array.from({ length: count }, (_, i) => notes.size + 1 + i)
    for (const note of added) notes.set(note, { note, answer: "none" })
    host.send({ t: "append", notes: added })
    return added[0] ?? 0
  }

  const control = (host: HostProcess): void => {
    const acknowledged = stillOpen().filter((run) => run.acknowledged)
    const [first, ...rest] = acknowledged
    if (first === undefined) return
    const run = chance.pick([first, ...rest])
    chance.weighted([
      [30, () => command(host, run, { _tag: "SetConcurrency", limit: chance.between(1, 8) })],
      [20, () => command(host, run, { _tag: "Pause", mode: chance.pick(["drain", "interrupt"]) })],
      [20, () => command(host, run, { _tag: "Resume" })],
      [8, () => command(host, run, { _tag: "Cancel", reason: "by chance" })]
    ])()
  }

  /** The same command again has to be answered as before, and another one with its id has to be refused. */
  const sendAgain = (host: HostProcess): void => {
    const sent = commands.get(`c${chance.between(Math.max(1, commands.size - 100), commands.size)}`)
    if (sent === undefined || sent.answer === "refused") return
    const { id, runId } = sent
    if (sent.answer === "none" || chance.happens(0.7)) {
      host.send({ t: "command", runId, id, command: sent.command })
      return
    }
    const other = sent.command._tag === "Cancel" ? "Resume" : "Cancel"
    host.send({ t: "command", runId, id, command: { _tag: other } })
  }

  return {
    record,
    repeat: (host) => {
      for (const { acknowledged, request } of stillOpen()) {
        if (!acknowledged) host.send({ t: "register", run: request })
      }
      for (const { answer, command, id, runId } of [...commands.values()].slice(-40)) {
        if (answer === "none") host.send({ t: "command", runId, id, command })
      }
    },
    ask: (host) => {
      if (stillOpen().length < mostOpen && chance.happens(0.4)) register(host)
      if (chance.happens(0.35)) append(host, chance.between(1, 4))
      if (chance.happens(0.2)) control(host)
      if (chance.happens(0.06)) sendAgain(host)
    },
    sendOn: (host) => {
      for (const run of stillOpen()) {
        for (const stepId of run.waiting) if (chance.happens(0.5)) answer(host, run, stepId)
        if (run.acknowledged && chance.happens(0.1)) answer(host, run, "told")
        if (run.parked) {
          run.parked = false
          command(host, run, { _tag: run.cancelled ? "Cancel" : "Resume" })
        } else if (run.paused && chance.happens(0.1)) command(host, run, { _tag: "Resume" })
      }
    },
    probe: (host) => append(host, 1),
    open: stillOpen
  }
}
