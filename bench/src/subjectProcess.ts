import type { Settings, Subject, SubjectModule } from "./Subject.js"

// The process of one subject: it does what the process that started it asks for, one thing after the other.

/** A request, as the other process sends it. */
export type Request =
  | {
      readonly call: "open"
      readonly module: string
      readonly directory: string
      readonly settings: Settings
    }
  | { readonly call: "run"; readonly task: Settings }
  | { readonly call: "close" }
  | {
      readonly call: "begin" | "resume"
      readonly module: string
      readonly directory: string
      readonly settings: Settings
      readonly steps: number
      readonly killAt: number
    }

let subject: Subject | undefined

const load = (module: string): Promise<SubjectModule> => import(new URL(module, import.meta.url).href)

const begin = async (request: Extract<Request, { call: "begin" | "resume" }>) => {
  const { directory, killAt, settings } = request
  const module = await load(request.module)
  if (module.begin === undefined) throw new Error("it has nothing to recover with")
  await new Promise<void>((reached, failed) => {
    const step = (index: number) => {
      if (index !== killAt) return Promise.resolve()
      reached()
      return new Promise<void>(() => undefined)
    }
    module
      .begin?.(directory, { ...settings, length: request.steps }, step)
      .then(() => failed(new Error("the chain ended without its last step")), failed)
  })
  return undefined
}

const resume = async (request: Extract<Request, { call: "begin" | "resume" }>) => {
  const { directory, settings, steps } = request
  const module = await load(request.module)
  if (module.resume === undefined) throw new Error("it has nothing to recover with")
  let first: number | undefined
  let executed = 0
  const before = performance.now()
  const step = async () => {
    first ??= performance.now()
    executed++
  }
  const recorded = await module.resume(directory, { ...settings, length: steps }, step)
  if (recorded !== steps) throw new Error(`${recorded} of ${steps} steps are recorded after the recovery`)
  return {
    millis: (first ?? Number.NaN) - before,
    operations: 1,
    figures: { "steps repeated": executed - (steps - request.killAt - 1) }
  }
}

const answer = async (request: Request): Promise<unknown> => {
  switch (request.call) {
    case "open":
      subject = await (await load(request.module)).open(request.directory, request.settings)
      return undefined
    case "run":
      if (subject === undefined) throw new Error("it is not open")
      return await subject.run(request.task)
    case "close":
      await subject?.close()
      return undefined
    case "begin":
      return begin(request)
    case "resume":
      return resume(request)
  }
}

process.on("message", (request: Request) => {
  answer(request).then(
    (value) => process.send?.({ value }),
    (error: unknown) => {
      const code = error instanceof Error && "code" in error ? String(error.code) : undefined
      process.send?.({ error: error instanceof Error ? error.message : String(error), code })
    }
  )
})
// Nobody is left to work for.
process.on("disconnect", () => process.exit())
