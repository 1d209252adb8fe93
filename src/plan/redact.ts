/** What is left out of everything that is written down for people: secrets. */
import { isList, isMap, type Value, type ValueMap } from "../backend/Value.ts"

const MASK = "***"

/** Whether an environment variable's name says that it holds a secret. */
export const isSecretVariable = (name: string): boolean => /KEY|SECRET|TOKEN|PASSW|CRED|AUTH/i.test(name)

/** The same of a key of the config, where `tokenizer_model`, `vocab_key` and `author` are no secrets. */
const isSecretKey = (key: string): boolean => {
  const known = secretKeys.get(key)
  if (known !== undefined) return known
  const secret = /passw|secret|credential|(?:^|[_.-])(?:api|access|private|auth|hf|wandb)[_-]?(?:key|token)$/i.test(key)
  secretKeys.set(key, secret)
  return secret
}

/** Keys of configs, which are the same for all points of a sweep. */
const secretKeys = new Map<string, boolean>()

/** The text with the user info of every URL masked: `https://user:pw@host` becomes `https://***@host`. */
export const redactUrls = (text: string): string =>
  text.includes("://") ? text.replace(/(?<=:\/\/)[^\s/?#"'<>]*@/g, `${MASK}@`) : text

/** Values of secret variables are masked; URLs lose their user info. */
export const redactEnvironment = (env: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, isSecretVariable(name) ? MASK : redactUrls(value)])
  )

/**
 * An argument or override. `path=value` is masked if the path ends in a secret name; within maps called `env` and in
 * upper case that is any secret variable.
 */
export const redactArgument = (argument: string): string => {
  const [, path, key = ""] = /^([-+~]*(?:[\w/@-]+\.)*([\w-]+)=)/.exec(argument) ?? []
  if (path === undefined) return redactUrls(argument)
  const variable = /(?:^|[.+])env\./.test(path) || key === key.toUpperCase()
  return isSecretKey(key) || (variable && isSecretVariable(key)) ? `${path}${MASK}` : redactUrls(argument)
}

/**
 * A config: secret keys, and secret variables of maps called `env`, are masked; URLs lose their user info. Points of a
 * sweep share most of their sections, which are the same in the result too.
 */
export const redactConfig = (config: ValueMap): ValueMap => redactMap(config, false)

/** Whether something was left out of a recorded argument or override. */
export const isRedacted = (argument: string): boolean =>
  argument.endsWith(`=${MASK}`) || argument.includes(`://${MASK}@`)

/** The path of a value that was left out when this was written down; null if there is none. */
export const redactedAt = (value: Value, at = ""): string | null => {
  if (typeof value === "string") return value === MASK || value.includes(`://${MASK}@`) ? at : null
  const inner: ReadonlyArray<readonly [string, Value]> = isList(value)
    ? value.map((item, index) => [`${at}[${index}]`, item])
    : isMap(value)
    ? Object.entries(value).map(([key, item]) => [at === "" ? key : `${at}.${key}`, item])
    : []
  return inner.map(([path, item]) => redactedAt(item, path)).find((path) => path !== null) ?? null
}

/** Mappings of configs and of environments that were redacted before. */
const redacted = [new WeakMap<ValueMap, ValueMap>(), new WeakMap<ValueMap, ValueMap>()] as const

const redactMap = (map: ValueMap, isEnvironment: boolean): ValueMap => {
  const known = redacted[isEnvironment ? 1 : 0]
  const before = known.get(map)
  if (before !== undefined) return before
  const made = Object.fromEntries(
    Object.entries(map).map(([key, value]) => {
      const secret = isSecretKey(key) || (isEnvironment && isSecretVariable(key))
      return [key, secret && value !== null && !isMap(value) ? MASK : redactValue(value, key === "env")]
    })
  )
  known.set(map, made)
  return made
}

const redactValue = (value: Value, isEnvironment: boolean): Value => {
  if (typeof value === "string") return redactUrls(value)
  if (isList(value)) return value.map((item) => redactValue(item, false))
  return isMap(value) ? redactMap(value, isEnvironment) : value
}
