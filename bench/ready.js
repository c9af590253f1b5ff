import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

// Installs the other products where they are missing or of other versions; without them the benchmarks run all the same.
const lock = fileURLToPath(new URL("package-lock.json", import.meta.url))
const installed = fileURLToPath(new URL("node_modules/.package-lock.json", import.meta.url))
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  process.stderr.write(
    "Installing what is measured beside Switchyard; this takes some minutes the first time …\n"
  )
  const { status } = spawnSync("npm", ["ci", "--loglevel=error"], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (status !== 0) process.stderr.write("That failed; the rows of other products say “not installed”.\n")
}
