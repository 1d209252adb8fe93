/** What the predecessor made of small sections, and what Megatron's own parsers said to it: recorded, `serialisation.json`. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { isList, isMap, PyFloat, type Value, type ValueMap } from "../../../src/backend/Value.ts"
import { toMap } from "../../../src/config/Node.ts"
import { parseYaml } from "../../../src/config/yaml.ts"
import { argv, tables } from "./launching.ts"

const file = path.join(import.meta.dirname, "serialisation.json")
const parsed = parseYaml(fs.readFileSync(file, "utf8"), file, [])
const recorded = parsed?.kind === "map" ? toMap(parsed) : {}

const casesOf = (key: string): ReadonlyArray<readonly [name: string, given: ValueMap]> => {
  const all = recorded[key] ?? null
  return isList(all) ? all.filter(isMap).map((each) => [String(each["name"]), each]) : []
}

const run = (given: ValueMap, version: string) =>
  argv({
    megatron_version: version,
    megatron: given["megatron"],
    extra_cli_args: given["extra_cli_args"] ?? []
  })

describe("a section for Megatron core 0.13", () => {
  it.each(casesOf("cases"))("is written as the parser takes it: %s", (_, given) => {
    const said = run(given, "core_r0.13.0")
    if (given["error"] === undefined) expect(said).toEqual(given["expected_argv"])
    else expect(said).toMatch(/^backend\.megatron\.\w+: /)
  })

  it("holds all recorded cases", () => {
    expect([casesOf("cases").length, casesOf("main_parser_cases").length]).toEqual([25, 12])
  })

  it.each([
    ["unknown_key", "Megatron core_r0.13.0 has no argument \"not_a_megatron_option\""],
    ["store_false_flag_name_as_key", "that is how its option is spelled; write bias_gelu_fusion: false"],
    ["choice_invalid", "position_embedding_type cannot be 'spiral'; known: learned_absolute, rope"],
    ["wrong_type", "num_layers must be a whole number, not 'many'"]
  ])("is refused in words: %s", (name, words) => {
    const given = new Map(casesOf("cases")).get(name) ?? {}
    expect(run(given, "core_r0.13.0")).toContain(words)
  })
})

/** Where the predecessor's words are not ours, and why. */
const corrected: Readonly<Record<string, { readonly why: string; readonly ours: ReadonlyArray<string> | RegExp }>> = {
  order_and_unknown: { why: "it dropped what it did not know in silence", ours: /no argument "bogus"/ },
  rampup_nargs3: {
    why: "it wrote a list of three as one word, which the parser refuses",
    ours: ["--rampup-batch-size", "16", "16", "10000"]
  },
  boolean_optional_true: {
    why: "it gave a flag a value, which the parser refuses",
    ours: ["--rl-use-sequence-packing"]
  },
  yarn_true: {
    why: "of two options with one name it knew the last only, and could not say true",
    ours: ["--yarn-correction-range-round-to-int"]
  },
  enum: {
    why: "it wrote Python's name of the choice, which the parser refuses",
    ours: ["--attention-backend", "flash"]
  },
  moe_lb_scalar: {
    why: "it cut a text into its letters (its fault W-38), which the parser refuses",
    ours: ["--moe-router-load-balancing-type", "seq_aux_loss"]
  },
  window_size_str: {
    why: "it printed a Python tuple, which only happens to be read back",
    ours: ["--window-size", "128,0"]
  }
}

describe("a section for a newer Megatron", () => {
  it.each(casesOf("main_parser_cases"))("is written as the parser takes it: %s", (name, given) => {
    const said = run(given, "main")
    const other = corrected[name]
    // There the predecessor kept the section's order; ours is the parser's.
    if (other === undefined) expect([...said].sort()).toEqual([given["reference_argv"] ?? null].flat().sort())
    else if (other.ours instanceof RegExp) expect(said, other.why).toMatch(other.ours)
    else {
      expect(said, other.why).toEqual(other.ours)
      expect(given["accepted_argv"], "what the parser accepts").toEqual(other.ours)
    }
  })
})

describe("a section", () => {
  const of = (megatron: Readonly<Record<string, Value>>, more: Readonly<Record<string, unknown>> = {}) =>
    argv({ megatron, ...more })

  it("W-38: gives a list that is one text as one value, and refuses two for what takes one", () => {
    expect(argv({}, { parameters: { data_path: "/d/a" } })).toEqual(["--data-path", "/d/a"])
    expect(of({ data_path: "/d/a" })).toBe(
      "backend.megatron.data_path: data_path takes a list: write ['/d/a'], not '/d/a'"
    )
    expect(of({ seed: [1, 2] })).toBe("backend.megatron.seed: seed takes one value, not a list: [1, 2]")
    expect(argv({ megatron_version: "main", megatron: { rampup_batch_size: [1, 2] } }))
      .toBe("backend.megatron.rampup_batch_size: rampup_batch_size takes 3 values, not 2: [1, 2]")
  })

  it("lets keys beside the block win, and parameters win over both", () => {
    const section = { megatron: { num_layers: 2, seed: 5 }, num_layers: 3, hidden_size: 8 }
    expect(argv(section)).toEqual(["--num-layers", "3", "--seed", "5", "--hidden-size", "8"])
    expect(argv(section, { parameters: { "megatron.num-layers": 4, seed: null } }))
      .toEqual(["--num-layers", "4", "--hidden-size", "8"])
  })

  it("W-43: refuses what the block, keys beside it and parameters give wrongly, and names the place", () => {
    expect(of({ micro_batch_size: "abc" })).toBe(
      "backend.megatron.micro_batch_size: micro_batch_size must be a whole number, not 'abc'"
    )
    expect(argv({ num_layer: 2 })).toContain(
      "backend.num_layer: Megatron core_r0.13.0 has no argument \"num_layer\"; did you mean"
    )
    expect(argv({}, { parameters: { "tokenizer-typ": "x" } })).toContain("did you mean \"tokenizer_type\"")
    expect(argv({ launcher_scrpt: "x" })).toContain("did you mean \"launcher_script\"")
    expect(of({ seed: new PyFloat(2.5) })).toContain("seed must be a whole number, not 2.5")
    expect(of({ bf16: 1 })).toContain("bf16 must be true or false, not 1")
  })

  it("tells of an argument that only another version has", () => {
    expect(of({ use_megatron_fsdp: true })).toContain("Megatron main has it (backend.megatron_version)")
    expect(of({}, { megatron_version: "mian" })).toContain("did you mean \"main\"?")
  })

  it("passes unknown arguments on if that is allowed", () => {
    expect(of({ seed: 2, my_flag: true, my_list: [1, "a b"] }, { allow_unknown_args: true }))
      .toEqual(["--seed", "2", "--my-flag", "--my-list", "1", "a b"])
    expect(of({ seed: "x", my_flag: true }, { allow_unknown_args: true })).toContain("seed must be a whole number")
  })

  it("names all mistakes at once", () => {
    expect(of({ seed: "x", lr: "y" })).toBe(
      "backend.megatron.seed: seed must be a whole number, not 'x'; " +
        "also backend.megatron.lr: lr must be a number, not 'y'"
    )
  })

  it("writes every default where that is wanted, but for those of the environment and of other packages", () => {
    const words = of({ num_layers: 2, lr: 1, bf16: true, attention_backend: "flash" }, { differential_cmd: false })
    expect(words).toContain("--adam-beta1")
    expect(words).toContain("--bf16")
    for (const flag of ["--local-rank", "--export-model-type", "None", "--fp16"]) expect(words).not.toContain(flag)
    const known = new Set(tables[0].byFlag.keys())
    if (typeof words === "string") throw new Error(words)
    expect(words.filter((word) => word.startsWith("--") && !known.has(word))).toEqual([])
  })

  it("fills in names of the point, and leaves other braces alone", () => {
    expect(of({ save: "{output_dir}/checkpoints", save_interval: 5, tiktoken_pattern: "\\p{L}{1,3}${HOME}" }))
      .toEqual(["--save", "/out/toy_0/checkpoints", "--save-interval", "5", "--tiktoken-pattern", "\\p{L}{1,3}${HOME}"])
    expect(of({ save: "{outptu_dir}/x", save_interval: 5 })).toContain("backend.megatron.save: ")
  })

  it("keeps its notes to itself", () => {
    expect(of({ aux: { model_name: "x" } })).toEqual([])
  })
})

describe("convenience keys", () => {
  const auto = (megatron: Readonly<Record<string, unknown>>, parameters: ValueMap = {}) =>
    argv({ class_name: "AutoMegatronBackend", megatron }, { parameters })
  const base = { seq_length: 10, global_batch_size: 10 }

  it("give iterations for tokens, rounded up, and the decay's length", () => {
    expect(auto({ ...base, train_tokens: "1_001", lr_decay_fraction: new PyFloat(0.5) })).toEqual([
      ...["--global-batch-size", "10", "--seq-length", "10", "--train-iters", "11"],
      ...["--lr-decay-iters", "5", "--lr-wsd-decay-iters", "5"]
    ])
    expect(auto(base, { train_tokens: "1e3" })).toEqual([
      ...["--global-batch-size", "10", "--seq-length", "10", "--train-iters", "10"]
    ])
    expect(auto({ train_samples: 100, lr_decay_fraction: "0.25" })).toEqual([
      ...["--train-samples", "100", "--lr-decay-samples", "25", "--lr-wsd-decay-samples", "25"]
    ])
  })

  it("are refused where they cannot be made into anything", () => {
    expect(auto({ train_tokens: 5 })).toContain("train_tokens needs seq_length and global_batch_size")
    expect(auto({ ...base, train_tokens: "many" })).toContain("train_tokens must be a number above zero")
    expect(auto({ lr_decay_fraction: "0.5" })).toContain("lr_decay_fraction needs train_samples")
    expect(auto({ train_iters: 5, lr_decay_fraction: 2 })).toContain("at most 1")
    expect(argv({ megatron: { train_tokens: 5 } })).toContain("AutoMegatronBackend and AutoMegatronROCmBackend take it")
  })
})

describe("the command around the arguments", () => {
  it("is torchrun, the program, the arguments and the further words", () => {
    expect(argv({
      class_name: "MegatronROCmBackend",
      launcher_script: "run  pretrain_{name}.py",
      use_torchrun: true,
      torchrun_args: {
        nproc_per_node: 4,
        rdzv_endpoint: "$MASTER_ADDR:$MASTER_PORT",
        verbose: true,
        quiet: false,
        no: null
      },
      megatron_rocm: { bf16: true },
      extra_cli_args: ["--x", "a b"]
    })).toEqual([
      ...["-u", "-m", "torch.distributed.run", "--nproc-per-node", "4", "--rdzv-endpoint", "$MASTER_ADDR:$MASTER_PORT"],
      ...["--verbose", "run", "pretrain_toy_0.py", "--bf16", "--x", "a b"]
    ])
  })
})
