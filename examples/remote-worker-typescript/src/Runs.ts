import { isDeepStrictEqual } from "node:util"
import { JSONRPCErrorException } from "json-rpc-2.0"
import { type WorkerAgent, WorkFailed } from "./agents.js"

/** What this worker uses of the parameters of `run`. */
export interface RunParams {
  readonly agent: string
  readonly idempotencyKey: string
  readonly input: unknown
  readonly deadlineMillis: number | null
  readonly detachMillis: number
}

/** Hears of the progress of one piece of work. */
export type Listener = (progress: object) => void

interface Entry {
  readonly params: RunParams
  readonly controller: AbortController
  readonly listeners: Set<Listener>
  readonly done: Promise<unknown>
  latest: object | undefined
  settled: boolean
  detached: NodeJS.Timeout | undefined
}

const rememberMillis = 10 * 60_000
const rememberAtMost = 1000

class Cancelled extends Error {}
class TookTooLong extends Error {}

const toRpcError = (error: unknown, reason: unknown): JSONRPCErrorException => {
  if (reason instanceof Cancelled) return new JSONRPCErrorException("the work was cancelled", -32002)
  if (reason instanceof TookTooLong)
    return new JSONRPCErrorException("it took longer than it may", -32000, { kind: "Timeout" })
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof WorkFailed
    ? new JSONRPCErrorException(message, -32000, {
        kind: error.kind,
        ...(error.retryAfterMillis === undefined ? {} : { retryAfterMillis: error.retryAfterMillis })
      })
    : new JSONRPCErrorException(message, -32000, { kind: "Failed" })
}

/** The work of this worker by its key: what is under way, and for a while what has ended. The same key is never begun twice. */
export class Runs {
  private readonly entries = new Map<string, Entry>()

  constructor(private readonly agents: ReadonlyArray<WorkerAgent>) {}

  /** Begins work, or joins it where it was begun; resolves with its result. */
  async run(params: RunParams, listener: Listener, gone: AbortSignal): Promise<unknown> {
    const agent = this.agents.find(({ name }) => name === params.agent)
    if (agent === undefined)
      throw new JSONRPCErrorException(`there is no agent "${params.agent}"`, -32000, { kind: "NotFound" })
    for (let known = this.entries.get(params.idempotencyKey); known !== undefined; ) {
      if (!known.controller.signal.aborted) {
        if (known.params.agent !== params.agent || !isDeepStrictEqual(known.params.input, params.input))
          throw new JSONRPCErrorException("this key names other work", -32602)
        return this.join(known, params.detachMillis, listener, gone)
      }
      // Cancelled work is forgotten once it has stopped, and then the key is free again.
      await known.done.catch(() => undefined)
      known = this.entries.get(params.idempotencyKey)
    }
    const entry = this.begin(agent, params)
    this.entries.set(params.idempotencyKey, entry)
    return this.join(entry, params.detachMillis, listener, gone)
  }

  /** Joins work that was begun. */
  async attach(
    { idempotencyKey, detachMillis }: Pick<RunParams, "idempotencyKey" | "detachMillis">,
    listener: Listener,
    gone: AbortSignal
  ): Promise<unknown> {
    const entry = this.entries.get(idempotencyKey)
    if (entry === undefined)
      throw new JSONRPCErrorException(
        "nothing is known of this key; the worker may have been restarted",
        -32001
      )
    return this.join(entry, detachMillis, listener, gone)
  }

  /** Cancels work, and resolves when it has stopped. */
  async cancel({ idempotencyKey }: Pick<RunParams, "idempotencyKey">): Promise<{ readonly known: boolean }> {
    const entry = this.entries.get(idempotencyKey)
    entry?.controller.abort(new Cancelled())
    await entry?.done.catch(() => undefined)
    return { known: entry !== undefined }
  }

  private begin(agent: WorkerAgent, params: RunParams): Entry {
    const controller = new AbortController()
    const { signal } = controller
    const late =
      params.deadlineMillis === null
        ? undefined
        : setTimeout(() => controller.abort(new TookTooLong()), params.deadlineMillis)
    const report: Listener = (progress) => {
      entry.latest = { idempotencyKey: params.idempotencyKey, ...progress }
      for (const listener of entry.listeners) listener(entry.latest)
    }
    const work = async () => {
      try {
        return await agent.run(params.input, { signal, report })
      } catch (error) {
        throw toRpcError(error, signal.aborted ? signal.reason : undefined)
      } finally {
        clearTimeout(late)
        this.settle(entry)
      }
    }
    const entry: Entry = {
      params,
      controller,
      listeners: new Set(),
      done: Promise.resolve().then(work),
      latest: undefined,
      settled: false,
      detached: undefined
    }
    entry.done.catch(() => undefined)
    return entry
  }

  private settle(entry: Entry): void {
    const { idempotencyKey } = entry.params
    entry.settled = true
    clearTimeout(entry.detached)
    if (entry.controller.signal.aborted) {
      this.entries.delete(idempotencyKey)
      return
    }
    setTimeout(() => this.entries.delete(idempotencyKey), rememberMillis).unref()
    const old = [...this.entries].filter(([, { settled }]) => settled)
    for (const [key] of old.slice(0, Math.max(0, old.length - rememberAtMost))) this.entries.delete(key)
  }

  private async join(
    entry: Entry,
    detachMillis: number,
    listener: Listener,
    gone: AbortSignal
  ): Promise<unknown> {
    clearTimeout(entry.detached)
    entry.listeners.add(listener)
    if (entry.latest !== undefined) listener(entry.latest)
    const leave = () => {
      entry.listeners.delete(listener)
      if (entry.listeners.size > 0 || entry.settled) return
      clearTimeout(entry.detached)
      entry.detached = setTimeout(() => entry.controller.abort(new Cancelled()), detachMillis)
    }
    gone.addEventListener("abort", leave, { once: true })
    return entry.done
  }
}
