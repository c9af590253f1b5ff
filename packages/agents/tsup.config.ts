import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/*.ts"],
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
  removeNodeProtocol: false,
  tsconfig: "tsconfig.build.json",
  esbuildOptions: (options) => {
    // What modules share goes where `exports` does not let anyone in.
    options.chunkNames = "internal/[name]-[hash]"
  }
})
