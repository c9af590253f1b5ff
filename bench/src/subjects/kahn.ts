import { type SubjectModule, timed, verify } from "../Subject.js"

interface Graph {
  readonly waitsFor: ReadonlyArray<number>
  readonly dependents: ReadonlyArray<ReadonlyArray<number>>
}

/** A graph in which every node depends on up to three of the hundred before it; the same one every time. */
const graphOf = (size: number): Graph => {
  let seed = 42
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % below
  }
  const dependents = Array.from({ length: size }, (): Array<number> => [])
  const waitsFor = Array.from({ length: size }, (_, node) => {
    const before = new Set<number>()
    for (let n = random(4); n > 0 && node > 0; n--) before.add(node - 1 - random(Math.min(node, 100)))
    for (const each of before) dependents[each]?.push(node)
    return before.size
  })
  return { waitsFor, dependents }
}

const schedule = ({ dependents, waitsFor }: Graph, work: () => Promise<void> | undefined): Promise<number> =>
  new Promise((resolve) => {
    const waiting = [...waitsFor]
    const ready = waiting.flatMap((count, node) => (count === 0 ? [node] : []))
    let next = 0
    let done = 0
    const settle = (node: number): void => {
      done++
      for (const each of dependents[node] ?? []) {
        const left = (waiting[each] ?? 0) - 1
        waiting[each] = left
        if (left === 0) ready.push(each)
      }
    }
    const start = (): void => {
      while (next < ready.length) {
        const node = ready[next++] ?? 0
        const busy = work()
        if (busy === undefined) settle(node)
        else
          busy.then(() => {
            settle(node)
            start()
          })
      }
      if (done === waitsFor.length) resolve(done)
    }
    start()
  })

/** A scheduler by Kahn's algorithm, with nodes that do nothing: by calls, or with a promise each. */
export const open: SubjectModule["open"] = async (_, { promises }) => ({
  run: async (task) => {
    const [nodes, times] = [Number(task.nodes), Number(task.times)]
    const graph = graphOf(nodes)
    const work = promises === true ? () => Promise.resolve() : () => undefined
    let done = 0
    const outcome = await timed(nodes * times, async () => {
      for (let n = 0; n < times; n++) done += await schedule(graph, work)
    })
    verify("nodes", done, nodes * times)
    return outcome
  },
  close: async () => undefined
})
