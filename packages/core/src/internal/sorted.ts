/** Puts an item into a list that is sorted with the smallest key last, before those with the same key: `pop` takes them in turn. */
export const insertSorted = <A>(list: Array<A>, item: A, keyOf: (item: A) => number): void => {
  const key = keyOf(item)
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keyOf(list[middle] as A) > key) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, item)
}
