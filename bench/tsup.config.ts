import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/**/*.ts"],
  // As it is written: what is measured must not depend on how it is bundled.
  bundle: false,
  format: "esm",
  target: "node20",
  platform: "node",
  clean: true,
  silent: true,
  removeNodeProtocol: false
})
