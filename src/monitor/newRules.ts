/** Rules that are edited while a session is watched: what its configs say now becomes a fact, if it is something new. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as crypto from "node:crypto"
import type { NewEvent } from "../event/EventRecord.ts"
import { type RulesAnswer, RuleSource, type Said, type SaidRules } from "../port/RuleSource.ts"
import { decodeRules } from "../rule/Context.ts"
import { makeDetector } from "../rule/detect.ts"
import { Monitoring } from "../rule/Monitoring.ts"
import { sectionOf } from "../session/foldRules.ts"
import type { Session } from "../session/Session.ts"

type RulesFact = NewEvent<"RulesChanged" | "RulesUnreadable" | "RulesReadable">
type Section = Readonly<Record<string, unknown>>

/** Keys that the plan has used up: each job knows its log and its files by their paths. */
const planned = ["log_path_template", "output_paths"]

const encode = Schema.encodeSync(Monitoring)

/** The section with its defaults, as far as rules are made of it. */
const normal = (section: unknown): Section => {
  const known = Predicate.isObject(section) ? normalised.get(section) : undefined
  const made = known ?? normalise(section)
  if (Predicate.isObject(section)) normalised.set(section, made)
  return made
}

const normalised = new WeakMap<object, Section>()

const normalise = (section: unknown): Section => {
  const full: unknown = Either.match(decodeRules(section), {
    onLeft: () => section,
    onRight: ({ monitoring }) => encode(monitoring)
  })
  const entries = Predicate.isRecord(full) ? Object.entries(full) : []
  return Object.fromEntries(entries.filter(([key]) => !planned.includes(key)))
}

const textOf = (section: unknown): string => JSON.stringify(normal(section))

const named = (list: unknown): ReadonlyMap<string, string> =>
  new Map(
    (Array.isArray(list) ? list : []).flatMap((item: unknown) =>
      Predicate.isRecord(item) ? [[String(item["name"]), JSON.stringify(item)] as const] : []
    )
  )

/** What two sections differ in, for people: `log_events.nccl`, `poll_interval_seconds`. */
const differences = (before: unknown, after: unknown): ReadonlyArray<string> => {
  const [old, now] = [normal(before), normal(after)]
  return Object.keys({ ...old, ...now }).flatMap((key) => {
    if (JSON.stringify(old[key]) === JSON.stringify(now[key])) return []
    if (key !== "log_events" && key !== "state_events") return [key]
    const [were, are] = [named(old[key]), named(now[key])]
    const names = [...new Set([...were.keys(), ...are.keys()])].filter((name) => were.get(name) !== are.get(name))
    if (names.length === 0) return [`the order of ${key}`]
    return names.map((name) => `${key}.${name}${!were.has(name) ? " (new)" : !are.has(name) ? " (gone)" : ""}`)
  })
}

/** Why rules that were composed are no rules to work by; null if they are. */
const fault = ({ rules, sets }: SaidRules): string | null => {
  for (const section of [rules, ...sets]) {
    const decoded = decodeRules(section)
    if (Either.isLeft(decoded)) return decoded.left
    const detector = makeDetector(decoded.right.monitoring)
    if (Either.isLeft(detector)) return detector.left.message
  }
  return null
}

/**
 * The change from the rules in force to those that were said; null if there is none. Jobs that the config no longer has stay
 * under their own set, if they have one.
 */
const changeTo = (session: Session, { jobs: positions, rules: said, sets }: SaidRules): RulesFact | null => {
  const old = Predicate.isRecord(session.rules) ? session.rules : {}
  const paths = Object.fromEntries(planned.flatMap((key) => key in old ? [[key, old[key]]] : []))
  const rules = { ...(Predicate.isRecord(said) ? said : {}), ...paths }
  const all = [...sets]
  const jobs: Record<string, number> = {}
  const changed = new Set(differences(session.rules, rules))
  const compared = new Map<unknown, Set<unknown>>([[session.rules, new Set([rules])]])
  for (const [name, job] of session.jobs) {
    const before = sectionOf(session, job)
    let position = positions.get(name)
    if (position === undefined && job.plan.rule_set !== null) {
      const kept = textOf(before)
      const there = all.findIndex((set) => textOf(set) === kept)
      position = there === -1 ? all.push(before) - 1 : there
    }
    if (position !== undefined && position !== null) jobs[name] = position
    const after = position === undefined || position === null ? rules : all[position]
    const others = compared.get(before) ?? new Set()
    if (others.has(after)) continue
    compared.set(before, others.add(after))
    for (const difference of differences(before, after)) changed.add(difference)
  }
  if (changed.size === 0) return null
  const rules_digest = crypto.createHash("sha256").update(JSON.stringify([rules, all])).digest("hex")
  return { type: "RulesChanged", data: { rules, rules_digest, rule_sets: all, jobs, changed: [...changed] } }
}

const factOf = (session: Session, said: Said): RulesFact | null => {
  if (said.said === "nothing") return null
  const message = said.said === "unreadable" ? said.message : fault(said.rules)
  if (said.said === "unreadable" || message !== null) {
    return session.rulesUnreadable?.message === message
      ? null
      : { type: "RulesUnreadable", data: { message: message ?? "" } }
  }
  return changeTo(session, said.rules) ??
    (session.rulesUnreadable === null ? null : { type: "RulesReadable", data: {} })
}

export interface RuleWatch {
  /** Asks what the configs say. What comes back is to be turned into a fact when it is recorded. */
  readonly ask: Effect.Effect<RulesAnswer, never, RuleSource>
  /** The fact that an answer is now, if it is one. */
  readonly take: (answer: RulesAnswer) => ReadonlyArray<RulesFact>
  /** Whether what is to be asked is no longer what was asked last: other plans, other settings. */
  readonly isOutdated: () => boolean
}

/** Watches the configs of a session. Broken ones are told of once; the rules in force stay. */
export const makeRuleWatch = (session: Session): RuleWatch => {
  let seen: RulesAnswer["seen"] | "nothing" | null = session.rulesChanged === null && session.rulesUnreadable === null
    ? null
    : "nothing"
  let asked: Pick<Session, "manifests" | "settings"> | null = null
  return {
    ask: Effect.gen(function*() {
      const source = yield* RuleSource
      const { manifests, settings } = session
      asked = { manifests, settings }
      return yield* source.ask({ manifests, settings: settings?.texts ?? [], seen })
    }),
    take: (answer) => {
      const isLate = asked?.manifests !== session.manifests || asked.settings !== session.settings
      // An answer to a question of before says nothing of now.
      if (isLate) return []
      const settled = seen !== null && seen !== "nothing" && seen.about === answer.seen.about
      seen = answer.seen
      const fact = factOf(session, answer.answer)
      if (fact === null) return []
      const cause = session.settings?.seq
      return [settled || cause === undefined ? fact : { ...fact, cause }]
    },
    isOutdated: () => asked !== null && (asked.manifests !== session.manifests || asked.settings !== session.settings)
  }
}
