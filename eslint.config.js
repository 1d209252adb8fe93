import effect from "@effect/eslint-plugin"
import js from "@eslint/js"
import tseslint from "typescript-eslint"

/** Rooms that have no clock, no randomness and no I/O (README, "The house"). */
const pureRooms = ["rule", "action", "session", "event", "sweep", "backend", "port"]

const noOldSchema = { group: ["@effect/schema", "@effect/schema/*"], message: "Schema comes from \"effect/Schema\"." }
// Names, not patterns: a pattern follows gitignore, where a bare name also means everything below it.
const barrels = ["effect", "@effect/cli", "@effect/platform", "@effect/platform-node"].map((name) => ({
  name,
  message: "Import the module itself (\"effect/Effect\"): a barrel doubles the start time."
}))

const impureGlobals = [
  "Date",
  "Intl",
  "process",
  "performance",
  "crypto",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "fetch",
  "Buffer",
  "WeakRef",
  "FinalizationRegistry",
  "require"
]

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "output/", "outputs/", "monitor/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    plugins: { "@effect": effect },
    rules: {
      "@effect/dprint": ["error", {
        config: {
          indentWidth: 2,
          lineWidth: 120,
          semiColons: "asi",
          quoteStyle: "alwaysDouble",
          trailingCommas: "never",
          operatorPosition: "maintain",
          "arrowFunction.useParentheses": "force"
        }
      }],
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Effect's generators may hold no yield, and its tags are empty classes over an interface.
      "require-yield": "off",
      "@typescript-eslint/no-empty-object-type": "off",
      "no-restricted-imports": ["error", { paths: barrels, patterns: [noOldSchema] }],
      "no-eval": "error",
      "no-new-func": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      eqeqeq: "error"
    }
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      globals: { console: "readonly", performance: "readonly", process: "readonly", setInterval: "readonly" }
    }
  },
  { files: ["src/**"], rules: { "no-console": "error" } },
  {
    files: pureRooms.map((room) => `src/${room}/**`),
    rules: {
      "no-restricted-imports": ["error", {
        paths: [
          ...barrels,
          ...["effect/Clock", "effect/Console", "effect/Random", "effect/Schedule"].map((name) => ({
            name,
            message: "A pure room takes what it needs as a fact."
          }))
        ],
        patterns: [
          noOldSchema,
          { regex: "^(?!\\.|effect/)", message: "A pure room knows effect/* and its own house: no Node, no I/O." }
        ]
      }],
      "no-restricted-globals": ["error", {
        checkGlobalObject: true,
        globals: impureGlobals.map((name) => ({
          name,
          message: "A pure room has no clock, randomness, locale or process."
        }))
      }],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "A pure room has no randomness." },
        { object: "DateTime", property: "now", message: "Time comes in as a fact." },
        { object: "DateTime", property: "unsafeNow", message: "Time comes in as a fact." },
        { object: "Effect", property: "clock", message: "Time comes in as a fact." },
        { object: "Effect", property: "sleep", message: "Waiting is a timer fact." },
        { object: "Effect", property: "random", message: "A pure room has no randomness." },
        { property: "localeCompare", message: "Depends on the machine's locale; compare code points." },
        { property: "toLocaleString", message: "Depends on the machine's locale." }
      ],
      "no-restricted-syntax": ["error", {
        selector: "ImportExpression",
        message: "A pure room loads nothing at run time."
      }]
    }
  }
)
