import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/*.ts", "src/testing/*.ts"],
  format: "esm",
  target: "node20",
  platform: "neutral",
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
  removeNodeProtocol: false,
  tsconfig: "tsconfig.build.json",
  // Their licences are in THIRD_PARTY_NOTICES.md.
  noExternal: ["@marcbachmann/cel-js", "@cfworker/json-schema", "fastest-levenshtein", "@noble/hashes"],
  esbuildOptions: (options) => {
    options.mainFields = ["module", "main"]
    // What modules share goes where `exports` does not let anyone in.
    options.chunkNames = "internal/[name]-[hash]"
  }
})
