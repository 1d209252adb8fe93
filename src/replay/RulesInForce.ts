/** The rules that a session is under, as its journal goes on. */
import * as Either from "effect/Either"
import { decodeRules, type Rules, rulesOf } from "../rule/Context.ts"
import { Monitoring } from "../rule/Monitoring.ts"
import type { Session } from "../session/Session.ts"

export class RulesInForce {
  /** Before the first record: none. */
  rules: Rules = rulesOf(Monitoring.make({}))
  private from: unknown = null

  /** Takes over what the session says by now, or says why that cannot be read. */
  follow({ rules }: Session): Either.Either<void, string> {
    if (rules === this.from) return Either.void
    this.from = rules
    return Either.map(decodeRules(rules), (decoded) => {
      this.rules = decoded
    })
  }
}
