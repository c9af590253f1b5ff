import { providerFailures, sum, tool, usual, type WellKnownTool } from "./internal/toolParts.js"

export type { WellKnownTool } from "./internal/toolParts.js"

// Flags and records: code.claude.com/docs/en/headless and /agent-sdk/typescript (SDKMessage), Claude Code 2.1.
const claudeUsage = (of: string) => ({
  inputTokens: sum(of, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
  outputTokens: sum(of, "output_tokens"),
  cachedTokens: sum(of, "cache_read_input_tokens")
})

/** Claude Code (`claude`), which is logged in or has `ANTHROPIC_API_KEY`. It may edit files, and run what its settings allow. */
export const claudeCode: WellKnownTool = tool(
  "Claude Code",
  "Anthropic's coding agent, run without a terminal.",
  {
    command: "claude",
    args: [
      "-p",
      "--output-format",
      "stream-json",
      "--verbose",
      "--permission-mode",
      "acceptEdits",
      ["--model", "{{model}}"],
      ["--max-turns", "{{input.maxTurns}}"]
    ],
    prompt: "stdin",
    promptField: "prompt",
    models: { sonnet: {}, opus: {}, haiku: {} },
    env: {
      inherit: [
        ...usual,
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR"
      ]
    },
    output: {
      format: "jsonl",
      records: [
        { when: "item.type == 'system' && item.subtype == 'init'", message: "works with {{ item.model }}" },
        {
          when: "item.type == 'assistant'",
          message: "{{ item.message.content.filter(c, c.type == 'text').map(c, c.text) }}",
          usage: { of: "record", key: "{{ item.message.id }}", ...claudeUsage("item.message.usage") }
        },
        {
          when: "item.type == 'assistant'",
          message: "{{ item.message.content.filter(c, c.type == 'tool_use').map(c, 'uses ' + c.name) }}"
        },
        {
          when: "item.type == 'rate_limit_event' && item.rate_limit_info.status == 'rejected'",
          error: { kind: "QuotaExhausted", resetsAt: "{{ item.rate_limit_info.resetsAt }}" }
        },
        {
          when: "item.type == 'result'",
          usage: { ...claudeUsage("item.usage"), costUsd: "{{ item.total_cost_usd }}" }
        },
        {
          when: "item.type == 'result' && !item.is_error && item.subtype == 'success'",
          result: "{{ item.result }}"
        },
        {
          when: "item.type == 'result' && (item.is_error || item.subtype != 'success')",
          error: { message: "{{ has(item.result) ? item.result : item.subtype }}" }
        }
      ],
      failures: [
        { kind: "QuotaExhausted", pattern: "usage limit reached\\|(?<resetsAt>\\d{9,})" },
        { kind: "QuotaExhausted", pattern: "limit[^\\n]*?resets?(?: at)? (?<resetsAt>[^\\n·|]+)" },
        { kind: "QuotaExhausted", pattern: "usage limit|hit your (?:\\w+ )?limit" },
        { kind: "Unauthorized", pattern: "please run /login|oauth token" },
        ...providerFailures
      ]
    }
  }
)

// Flags: `codex exec --help`; records: docs/exec.md and codex-rs/exec/src/exec_events.rs of openai/codex, 0.46 and later.
/** Codex CLI (`codex`), which is logged in or has `CODEX_API_KEY`. It writes only to its directory; a repository is not needed. */
export const codex: WellKnownTool = tool("Codex CLI", "OpenAI's coding agent, run without a terminal.", {
  command: "codex",
  args: [
    "exec",
    "--json",
    "--skip-git-repo-check",
    "--sandbox",
    "workspace-write",
    ["--model", "{{model}}"],
    "-"
  ],
  prompt: "stdin",
  promptField: "prompt",
  models: {
    "gpt-5-codex": { inputUsdPerMillion: 1.25, cachedUsdPerMillion: 0.125, outputUsdPerMillion: 10 },
    "gpt-5": { inputUsdPerMillion: 1.25, cachedUsdPerMillion: 0.125, outputUsdPerMillion: 10 },
    "gpt-5-mini": { inputUsdPerMillion: 0.25, cachedUsdPerMillion: 0.025, outputUsdPerMillion: 2 }
  },
  model: "gpt-5-codex",
  env: { inherit: [...usual, "CODEX_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_HOME"] },
  output: {
    format: "jsonl",
    records: [
      {
        when: "item.item.type == 'command_execution' && item.type == 'item.started'",
        message: "runs {{ item.item.command }}"
      },
      {
        when: "item.item.type == 'mcp_tool_call' && item.type == 'item.started'",
        message: "uses {{ item.item.tool }}"
      },
      { when: "item.item.type == 'web_search'", message: "searches {{ item.item.query }}" },
      {
        when: "item.item.type == 'file_change' && item.type == 'item.completed'",
        message: "{{ item.item.changes.map(c, c.kind + ' ' + c.path) }}"
      },
      { when: "item.item.type == 'reasoning'", message: "{{ item.item.text }}" },
      {
        when: "item.item.type == 'agent_message' && item.type == 'item.completed'",
        message: "{{ item.item.text }}",
        result: "{{ item.item.text }}"
      },
      {
        when: "item.type == 'turn.completed'",
        usage: {
          of: "record",
          inputTokens: "{{ item.usage.input_tokens }}",
          outputTokens: "{{ item.usage.output_tokens }}",
          cachedTokens: "{{ item.usage.cached_input_tokens }}"
        },
        recovered: true,
        ends: true
      },
      { when: "item.type == 'error'", error: { message: "{{ item.message }}" } },
      { when: "item.type == 'turn.failed'", error: { message: "{{ item.error.message }}" } }
    ],
    failures: [
      { kind: "QuotaExhausted", pattern: "usage limit[^\\n]*?try again in (?<retryAfter>[\\w ,]+)" },
      { kind: "QuotaExhausted", pattern: "usage limit[^\\n]*?try again at (?<resetsAt>[^\\n]+)" },
      { kind: "QuotaExhausted", pattern: "usage.?limit[^\\n]*?resets_in_seconds\\W+(?<retryAfter>\\d+)" },
      { kind: "QuotaExhausted", pattern: "usage.?limit|quota exceeded" },
      ...providerFailures
    ]
  }
})

// Flags and records: geminicli.com/docs/cli/headless and packages/core/src/output/types.ts of google-gemini/gemini-cli, 0.11 and later.
/** Gemini CLI (`gemini`), which is logged in or has `GEMINI_API_KEY`. It may edit files, and run what its settings allow. */
export const gemini: WellKnownTool = tool("Gemini CLI", "Google's coding agent, run without a terminal.", {
  command: "gemini",
  args: ["--output-format", "stream-json", "--approval-mode", "auto_edit", ["--model", "{{model}}"]],
  prompt: "stdin",
  promptField: "prompt",
  models: {
    "gemini-2.5-pro": { inputUsdPerMillion: 1.25, cachedUsdPerMillion: 0.31, outputUsdPerMillion: 10 },
    "gemini-2.5-flash": { inputUsdPerMillion: 0.3, cachedUsdPerMillion: 0.075, outputUsdPerMillion: 2.5 }
  },
  model: "gemini-2.5-pro",
  env: {
    inherit: [
      ...usual,
      "GEMINI_API_KEY",
      "GOOGLE_API_KEY",
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_CLOUD_LOCATION",
      "GOOGLE_GENAI_USE_VERTEXAI",
      "GOOGLE_APPLICATION_CREDENTIALS"
    ]
  },
  output: {
    format: "jsonl",
    records: [
      { when: "item.type == 'init'", message: "works with {{ item.model }}" },
      {
        when: "item.type == 'message' && item.role == 'assistant'",
        message: "{{ item.content }}",
        result: "{{ acc == null ? item.content : acc + item.content }}"
      },
      { when: "item.type == 'tool_use'", message: "uses {{ item.tool_name }}" },
      { when: "item.type == 'error'", message: "{{ item.message }}" },
      {
        when: "item.type == 'result' && has(item.stats)",
        usage: {
          inputTokens: "{{ item.stats.input_tokens }}",
          outputTokens: "{{ item.stats.output_tokens }}",
          cachedTokens: sum("item.stats", "cached")
        }
      },
      { when: "item.type == 'result' && item.status == 'success'", ends: true },
      {
        when: "item.type == 'result' && item.status == 'error'",
        error: { message: "{{ item.error.message }}" }
      }
    ],
    failures: [
      { kind: "QuotaExhausted", pattern: "quota will reset after (?<retryAfter>\\d[\\dhms.]*)" },
      { kind: "RateLimited", pattern: "please retry in (?<retryAfter>\\d[\\d.]*\\s?[a-z]+)" },
      { kind: "QuotaExhausted", pattern: "exhausted your|quota exceeded|resource.?(?:has been )?exhausted" },
      { kind: "Unauthorized", exitCodes: [41] },
      { kind: "InvalidInput", exitCodes: [42] },
      { kind: "Failed", exitCodes: [53] },
      ...providerFailures
    ]
  }
})

// Flags: opencode.ai/docs/cli; records: packages/opencode/src/cli/cmd/run.ts of OpenCode, 1.0 and later.
/** OpenCode (`opencode`) with any model that it is logged in for, named as `provider/model`. */
export const openCode: WellKnownTool = tool("OpenCode", "The open coding agent for any provider.", {
  command: "opencode",
  args: ["run", "--format", "json", ["--model", "{{model}}"]],
  prompt: "stdin",
  promptField: "prompt",
  env: {
    inherit: [
      ...usual,
      "OPENCODE_CONFIG",
      "XDG_CONFIG_HOME",
      "XDG_DATA_HOME",
      "ANTHROPIC_API_KEY",
      "OPENAI_API_KEY",
      "GEMINI_API_KEY",
      "OPENROUTER_API_KEY"
    ]
  },
  output: {
    format: "jsonl",
    records: [
      {
        when: "item.type == 'text'",
        message: "{{ item.part.text }}",
        result: "{{ acc == null ? item.part.text : acc + '\\n' + item.part.text }}"
      },
      { when: "item.type == 'tool_use'", message: "uses {{ item.part.tool }}" },
      {
        when: "item.type == 'step_finish'",
        usage: {
          of: "record",
          key: "{{ item.part.id }}",
          inputTokens:
            "{{ [item.part.tokens.input, item.part.tokens.cache.read, item.part.tokens.cache.write] }}",
          outputTokens: "{{ [item.part.tokens.output, item.part.tokens.reasoning] }}",
          cachedTokens: "{{ item.part.tokens.cache.read }}",
          costUsd: "{{ item.part.cost }}"
        }
      },
      { when: "item.type == 'step_finish' && item.part.reason != 'tool-calls'", ends: true },
      { when: "item.type == 'error'", error: { message: "{{ item.error.name }}" } },
      {
        when: "item.type == 'error'",
        error: { message: "{{ item.error.name + ': ' + item.error.data.message }}" }
      },
      { when: "item.type == 'error' && item.error.data.statusCode == 429", error: { kind: "RateLimited" } },
      {
        when: "item.type == 'error' && item.error.data.statusCode == 429",
        error: { retryAfter: "{{ item.error.data.responseHeaders['retry-after'] }}" }
      }
    ],
    failures: [
      { kind: "Unauthorized", pattern: "ProviderAuthError" },
      { kind: "ContextTooLong", pattern: "ContextOverflowError" },
      { kind: "NotFound", pattern: "ProviderModelNotFoundError" },
      ...providerFailures
    ]
  }
})

// Flags: aider.chat/docs/config/options.html; its lines: aider/coders/base_coder.py and models.py of Aider, 0.86.
/** Aider (`aider`) on the files that it is told of, without a repository, with any model that there is a key for. */
export const aider: WellKnownTool = tool("Aider", "Pair programming, run with one message.", {
  command: "aider",
  args: [
    "--message-file",
    "{{promptFile}}",
    "--yes-always",
    "--no-stream",
    "--no-pretty",
    "--no-git",
    "--no-check-update",
    "--no-show-model-warnings",
    "--no-suggest-shell-commands",
    "--chat-history-file",
    "{{temp}}/aider-{{stepId}}-{{index}}-{{attempt}}.md",
    "--input-history-file",
    "{{temp}}/aider-{{stepId}}-{{index}}-{{attempt}}.input",
    ["--model", "{{model}}"],
    ["--file", "{{input.file}}"]
  ],
  prompt: "file",
  promptField: "prompt",
  env: {
    inherit: [
      ...usual,
      "ANTHROPIC_API_KEY",
      "OPENAI_API_KEY",
      "OPENAI_API_BASE",
      "GEMINI_API_KEY",
      "DEEPSEEK_API_KEY",
      "OPENROUTER_API_KEY"
    ]
  },
  output: {
    format: "text",
    records: [
      { pattern: "^Model: (?<model>\\S+)", message: "works with {{ item.model }}" },
      { pattern: "^Applied edit to (?<file>.+)$", message: "edits {{ item.file }}" },
      {
        pattern:
          "Tokens: (?<sent>[\\d.]+[kM]?) sent(?:, [\\d.]+[kM]? cache write)?(?:, (?<hit>[\\d.]+[kM]?) cache hit)?, (?<received>[\\d.]+[kM]?) received",
        usage: {
          inputTokens: "{{ item.sent }}",
          outputTokens: "{{ item.received }}",
          cachedTokens: "{{ item.hit }}"
        },
        recovered: true
      },
      {
        pattern: "Cost: \\$[\\d.]+ message, \\$(?<session>[\\d.]+) session",
        usage: { costUsd: "{{ item.session }}" }
      },
      { pattern: "^litellm\\.\\w+", error: { message: "{{ item.line }}" } }
    ],
    failures: [
      {
        kind: "Unauthorized",
        pattern: "AuthenticationError|no API key|missing (?:these )?environment variables"
      },
      { kind: "ContextTooLong", pattern: "ContextWindowExceededError|exceeds the [\\d,]+ token limit" },
      ...providerFailures
    ]
  }
})

/** The ready definitions, by the names that `extends` gives them. */
export const wellKnownTools = {
  "claude-code": claudeCode,
  codex,
  gemini,
  opencode: openCode,
  aider
} as const
