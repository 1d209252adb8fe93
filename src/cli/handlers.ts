/** Which code answers which command; loaded when it is asked for, so that quick commands stay quick. */
import type { Handler } from "./Handler.ts"
import type { CommandName } from "./spec.ts"

export const handlers: { readonly [Name in CommandName]: () => Promise<Handler<Name>> } = {
  run: () => import("./commands/run.ts").then(({ run }) => run),
  plan: () => import("./commands/plan.ts").then(({ plan }) => plan),
  submit: () => import("./commands/submit.ts").then(({ submit }) => submit),
  monitor: () => import("./commands/monitor.ts").then(({ monitor }) => monitor),
  "session list": () => import("./commands/sessionList.ts").then(({ list }) => list),
  "session show": () => import("./commands/session.ts").then(({ show }) => show),
  "session remove": () => import("./commands/session.ts").then(({ remove }) => remove),
  "session dump-config": () => import("./commands/session.ts").then(({ dumpConfig }) => dumpConfig),
  "queue list": () => import("./commands/queue.ts").then(({ list }) => list),
  "queue show": () => import("./commands/queue.ts").then(({ show }) => show),
  "queue retry": () => import("./commands/queue.ts").then(({ retry }) => retry),
  "queue remove": () => import("./commands/queue.ts").then(({ remove }) => remove),
  "job restart": () => import("./commands/job.ts").then(({ restart }) => restart),
  "job cancel": () => import("./commands/job.ts").then(({ cancel }) => cancel),
  "job ack": () => import("./commands/job.ts").then(({ ack }) => ack),
  "job hold": () => import("./commands/job.ts").then(({ hold }) => hold),
  "job release": () => import("./commands/job.ts").then(({ release }) => release),
  "job logs": () => import("./commands/job.ts").then(({ logs }) => logs),
  explain: () => import("./commands/explain.ts").then(({ explain }) => explain),
  replay: () => import("./commands/replay.ts").then(({ replay }) => replay),
  backtest: () => import("./commands/backtest.ts").then(({ backtest }) => backtest),
  actions: () => import("./commands/actions.ts").then(({ actions }) => actions),
  events: () => import("./commands/events.ts").then(({ events }) => events),
  "sweep show": () => import("./commands/sweepShow.ts").then(({ sweepShow }) => sweepShow),
  "sweep-entry": () => import("./commands/sweepEntry.ts").then(({ sweepEntry }) => sweepEntry),
  "config show": () => import("./commands/configShow.ts").then(({ show }) => show),
  "config validate": () => import("./commands/configValidate.ts").then(({ validate }) => validate),
  "config diff": () => import("./commands/configDiff.ts").then(({ diff }) => diff),
  "config schema": () => import("./commands/configSchema.ts").then(({ schema }) => schema),
  "container build": () => import("./commands/containerBuild.ts").then(({ build }) => build),
  "container probe": () => import("./commands/containerProbe.ts").then(({ probe }) => probe),
  "container run": () => import("./commands/containerRun.ts").then(({ run }) => run),
  doctor: () => import("./commands/doctor.ts").then(({ doctor }) => doctor)
}
