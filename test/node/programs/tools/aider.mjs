/** Behaves as `aider --message-file … --yes-always --no-stream --no-pretty` does (aider.chat/docs/config/options.html). */
import { readFileSync } from "node:fs"
import { filler, option, play, refuse } from "./standIn.mjs"

if (!process.argv.includes("--yes-always") || !process.argv.includes("--no-pretty"))
  refuse("no terminal to talk in")
const prompt = readFileSync(option("--message-file") ?? refuse("there is no message"), "utf8")

const begin = [
  "Aider v0.86.1",
  `Model: ${option("--model") ?? "gpt-4o"} with diff edit format`,
  "Git repo: none",
  "Repo-map: disabled",
  ""
]

await play(prompt, {
  lines: [
    ...begin,
    "litellm.InternalServerError: the server had a hiccup",
    "Retrying in 0.2 seconds...",
    "Voilà, c'est écrit.",
    "",
    "Tokens: 2.1k sent, 1.5k cache hit, 123 received. Cost: $0.01 message, $0.0125 session.",
    "Applied edit to answer.txt"
  ],
  noise: filler,
  failures: {
    limit: {
      lines: [
        ...begin,
        "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached for gpt-4o on tokens per min (TPM). Please try again in 20s.",
        "The API provider has rate limited you. Try again later or check your quotas."
      ],
      code: 0
    },
    auth: {
      lines: [
        ...begin,
        "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: sk-no.",
        "The API provider is not able to authenticate you. Check your API key."
      ],
      code: 0
    }
  }
})
