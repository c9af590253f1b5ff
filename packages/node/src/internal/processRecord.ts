import * as Schema from "effect/Schema"

/** What a host notes of a process group that it started; the start ticks and the boot tell it from later ones of the same number. */
export const ProcessRecord = Schema.Struct({
  pgid: Schema.Int.pipe(Schema.greaterThan(1)),
  command: Schema.String,
  /** Milliseconds since 1970. */
  startedAt: Schema.Number,
  startTicks: Schema.Int,
  bootId: Schema.String
})
export type ProcessRecord = typeof ProcessRecord.Type

/** Where the record of a group is in the `state` directory of its workspace. */
export const pathOf = (pgid: number): string => `processes/${pgid}.json`

const decode = Schema.decodeUnknownOption(Schema.parseJson(ProcessRecord))

/** The record that a file of this name has as its text, or `undefined` where it is none. */
export const parse = (name: string, text: string): ProcessRecord | undefined => {
  const found = decode(text)
  return found._tag === "Some" && name === `${found.value.pgid}.json` ? found.value : undefined
}
