/** Parses JSON that a model wrote; throws where it is none, or would change what objects inherit. */
export { unsafeSecureJsonParse as parseJson } from "@effect/ai/Tool"
