import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@switchyard\/agents\/(.*)$/, replacement: source("packages/agents/src/$1.ts") },
      { find: /^@switchyard\/core\/(.*)$/, replacement: source("packages/core/src/$1.ts") },
      { find: /^@switchyard\/node\/(.*)$/, replacement: source("packages/node/src/$1.ts") }
    ]
  },
  test: {
    include: ["test/**/*.test.ts", "examples/*/test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
    // By default one core is left alone, which on two of them halves the speed.
    maxWorkers: Math.max(2, availableParallelism() - 1)
  }
})
