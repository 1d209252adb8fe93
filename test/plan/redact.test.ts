import { describe, expect, it } from "vitest"
import { redactArgument, redactConfig, redactEnvironment, redactUrls } from "../../src/plan/redact.ts"

describe("what is written down", () => {
  it("W-62: holds no secret variable", () => {
    expect(redactEnvironment({
      HF_TOKEN: "a",
      wandb_api_key: "b",
      MY_SECRET: "c",
      DB_PASSWORD: "d",
      PASSWD: "e",
      AWS_CREDENTIALS: "f",
      BASIC_AUTH: "g",
      HOME: "/home/me",
      PROXY: "http://me:pw@proxy:80/x http://ok:80"
    })).toEqual({
      HF_TOKEN: "***",
      wandb_api_key: "***",
      MY_SECRET: "***",
      DB_PASSWORD: "***",
      PASSWD: "***",
      AWS_CREDENTIALS: "***",
      BASIC_AUTH: "***",
      HOME: "/home/me",
      PROXY: "http://***@proxy:80/x http://ok:80"
    })
  })

  it.each([
    ["https://user:pw@host/path", "https://***@host/path"],
    ["git+ssh://token@host:22", "git+ssh://***@host:22"],
    ["https://u:p@ss@host", "https://***@host"],
    ["a=https://u:p@h b=postgres://u:p@h/x", "a=https://***@h b=postgres://***@h/x"],
    ["https://host/a@b?c=@d", "https://host/a@b?c=@d"],
    ["git@host:repo", "git@host:repo"]
  ])("holds no user info of a URL: %s", (text, redacted) => {
    expect(redactUrls(text)).toBe(redacted)
  })

  it.each([
    ["+slurm.env.HF_TOKEN=abc", "+slurm.env.HF_TOKEN=***"],
    ["backend.env.my_auth=abc", "backend.env.my_auth=***"],
    ["WANDB_API_KEY=abc", "WANDB_API_KEY=***"],
    ["--api-key=abc", "--api-key=***"],
    ["metadata.db_password=abc", "metadata.db_password=***"],
    ["metadata.repo=https://u:p@h", "metadata.repo=https://***@h"],
    ["backend.args.tokenizer_model=x", "backend.args.tokenizer_model=x"],
    ["backend.args.train_tokens=1e9", "backend.args.train_tokens=1e9"],
    ["metadata.author=me", "metadata.author=me"]
  ])("holds no secret argument: %s", (argument, redacted) => {
    expect(redactArgument(argument)).toBe(redacted)
  })

  it("holds no secret of the config, and all the rest of it", () => {
    expect(redactConfig({
      slurm: { env: { HF_TOKEN: "abc", HOME: "/x", EMPTY_KEY: null } },
      backend: { args: { tokenizer_model: "m", eos_token: "</s>", data: ["https://u:p@h/x", 1] } },
      metadata: { api_key: "abc", author: "me", access_token: 5 }
    })).toEqual({
      slurm: { env: { HF_TOKEN: "***", HOME: "/x", EMPTY_KEY: null } },
      backend: { args: { tokenizer_model: "m", eos_token: "</s>", data: ["https://***@h/x", 1] } },
      metadata: { api_key: "***", author: "me", access_token: "***" }
    })
  })

  it("is found in linear time", () => {
    const text = "://".repeat(100_000) + "a".repeat(100_000)
    expect(redactUrls(text)).toBe(text)
  })
})
