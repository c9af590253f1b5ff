const guarded = new WeakMap<object, object>()

/** Something with other methods in front of it. */
export const guard = <A extends object>(behind: A, methods: Partial<A>): A => {
  const made = { ...behind, ...methods }
  guarded.set(made, behind)
  return made
}

/** What is behind what guards it. */
export const behind = <A extends object>(given: A): A => (guarded.get(given) as A | undefined) ?? given
