import { type SubjectModule, timed } from "../Subject.js"
import { definitionOf, openYard } from "../Yard.js"

/** How many nodes of the graph can be under way at once, whatever its size. */
const width = 100

/** One run of a graph of so many steps that do nothing. */
export const open: SubjectModule["open"] = async (directory, settings) => {
  const yard = await openYard(directory, settings)
  return {
    run: (task) => {
      const [nodes, times] = [Number(task.size), Number(task.times)]
      const workflow = definitionOf(`graph-${nodes}`, nodes, (n) => (n < width ? [] : [n - width]))
      return timed(nodes * times, async () => {
        for (let n = 0; n < times; n++) await yard.runPromise(yard.execute(workflow))
      })
    },
    close: yard.close
  }
}
