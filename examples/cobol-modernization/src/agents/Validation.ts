import * as Agent from "@switchyard/core/Agent"
import * as Effect from "effect/Effect"
import { compileJava } from "../java/Javac.js"
import { asJson, attempt } from "./Task.js"

/** Compiles what was generated, where there is a Java compiler, and says so where there is none. */
export const validation: Agent.Agent = Agent.make("java-compiler", {
  capabilities: [{ skill: "java-compilation", inputTypes: ["java"], outputTypes: ["compilation"] }],
  metadata: { description: "Compiles the generated classes with javac" },
  run: (task) =>
    Effect.gen(function* () {
      const locate = (area: "outputs" | "temp", path: string) =>
        Effect.mapError(task.workspace.resolve(area, path), (error) => Agent.fromUnknown(error))
      const sourceDirectory = yield* locate("outputs", "java")
      const targetDirectory = yield* locate("temp", "classes")
      const result = yield* attempt((signal) => compileJava({ sourceDirectory, targetDirectory, signal }))
      return asJson(result)
    })
})
