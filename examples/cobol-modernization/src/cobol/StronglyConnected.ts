/**
 * The strongly connected components of a graph given as successor lists, every component after the ones it
 * leads to. It keeps its own stack, so that long chains cannot overflow the call stack.
 */
export const stronglyConnected = (
  successors: readonly (readonly number[])[]
): readonly (readonly number[])[] => {
  const components: number[][] = []
  const index = new Map<number, number>()
  const low = new Map<number, number>()
  const onStack = new Set<number>()
  const stack: number[] = []
  const lowOf = (node: number) => low.get(node) ?? 0

  const visit = (root: number) => {
    const frames: { node: number; next: number }[] = []
    const enter = (node: number) => {
      index.set(node, index.size)
      low.set(node, index.size - 1)
      stack.push(node)
      onStack.add(node)
      frames.push({ node, next: 0 })
    }
    enter(root)
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { node } = frame
      const successor = successors[node]?.[frame.next]
      frame.next++
      if (successor !== undefined) {
        if (!index.has(successor)) enter(successor)
        else if (onStack.has(successor)) low.set(node, Math.min(lowOf(node), index.get(successor) ?? 0))
        continue
      }
      frames.pop()
      const parent = frames.at(-1)
      if (parent !== undefined) low.set(parent.node, Math.min(lowOf(parent.node), lowOf(node)))
      if (lowOf(node) !== index.get(node)) continue
      const component: number[] = []
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack.delete(member)
        component.push(member)
        if (member === node) break
      }
      components.push(component.sort((a, b) => a - b))
    }
  }

  successors.forEach((_, node) => {
    if (!index.has(node)) visit(node)
  })
  return components
}
