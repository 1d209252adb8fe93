/** A run in front of one's eyes: a table redrawn in place on a terminal, one line per happening without one. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import type { Screen } from "./Screen.ts"
import { type Column, table } from "./table.ts"
import { clean, cut } from "./width.ts"

export interface LiveRow {
  readonly job: string
  /** The job's state, or its outcome once it has one. */
  readonly state: string
  readonly attempt: number
  readonly iteration: number | string | null
  readonly loss: number | string | null
  readonly lastEvent: string | null
}

export interface Happening {
  /** ISO 8601 UTC. */
  readonly at: string
  /** Null for what concerns the whole session. */
  readonly job: string | null
  readonly text: string
}

export interface Live {
  /** Shows the jobs as they are now, and above them what needs attention; nothing without a terminal. */
  readonly show: (rows: ReadonlyArray<LiveRow>, attention?: ReadonlyArray<string>) => Effect.Effect<void>
  /** Tells of a happening: above the table on a terminal, as the next line without one. */
  readonly tell: (happening: Happening) => Effect.Effect<void>
}

const colors: Readonly<Record<string, string>> = {
  running: "36",
  success: "32",
  failed: "31",
  timeout: "31",
  abandoned: "31",
  cancelled: "33"
}

/** The colour (SGR parameters) of a state or outcome, null for plain. */
export const stateStyle = (state: string): string | null => colors[state] ?? null

const columns: ReadonlyArray<Column<LiveRow>> = [
  { title: "JOB", value: ({ job }) => job },
  { title: "STATE", value: ({ state }) => state, style: ({ state }) => stateStyle(state) },
  { title: "ATTEMPT", value: ({ attempt }) => attempt, right: true },
  { title: "ITERATION", value: ({ iteration }) => iteration, right: true },
  { title: "LOSS", value: ({ loss }) => loss, right: true },
  { title: "LAST EVENT", value: ({ lastEvent }) => lastEvent }
]

/** How many jobs are in which state, most first. */
const summary = (rows: ReadonlyArray<LiveRow>): string => {
  const counts = new Map<string, number>()
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).map(([state, count]) => `${count} ${state}`).join(", ")
}

/** Jobs that still change come first where not all fit. */
const ended = new Set(["success", "failed", "cancelled", "timeout", "abandoned", "ended"])

const plain = ({ at, job, text }: Happening): string =>
  clean(`${at.slice(11, 19)}  ${job === null ? "" : `${job}: `}${text}`)

/** What the view shows below what has happened. */
interface Shown {
  readonly rows: ReadonlyArray<LiveRow>
  readonly attention: ReadonlyArray<string>
}

/** It as lines that fit the terminal. */
const draw = (
  { attention, rows }: Shown,
  size: { readonly columns: number; readonly rows: number },
  color: boolean
): ReadonlyArray<string> => {
  if (rows.length === 0) return []
  // Titles, the line that sums up, and the line of the cursor.
  const room = Math.max(1, size.rows - 3 - attention.length)
  const shown = rows.length <= room
    ? rows
    : [...rows.filter(({ state }) => !ended.has(state)), ...rows.filter(({ state }) => ended.has(state))].slice(0, room)
  return [
    ...attention.map((line) => cut(clean(`needs attention: ${line}`), size.columns - 1)),
    ...table(columns, shown, { columns: size.columns - 1, color }),
    cut(`${rows.length} jobs: ${summary(rows)}`, size.columns - 1)
  ]
}

/** Begins a live view; the end of its scope leaves the last table standing and gives the cursor back. */
export const live = (screen: Screen["Type"]): Effect.Effect<Live, never, Scope.Scope> =>
  Effect.gen(function*() {
    if (!screen.interactive) {
      return { show: () => Effect.void, tell: (happening) => screen.out(`${plain(happening)}\n`) }
    }
    const drawn = yield* SynchronizedRef.make<{ readonly lines: number; readonly shown: Shown }>({
      lines: 0,
      shown: { rows: [], attention: [] }
    })
    // One write each time: a terminal that shows half of it flickers.
    const repaint = (now: Shown | null, happening: Happening | null) =>
      Effect.uninterruptible(SynchronizedRef.updateEffect(drawn, (before) =>
        Effect.gen(function*() {
          const size = yield* screen.size
          const told = happening === null ? [] : [cut(plain(happening), size.columns - 1)]
          const shown = now ?? before.shown
          const lines = draw(shown, size, screen.color)
          const erase = before.lines === 0 ? "" : `\x1b[${before.lines}A\r\x1b[J`
          yield* screen.out(erase + [...told, ...lines].map((line) => `${line}\n`).join(""))
          return { lines: lines.length, shown }
        })))
    yield* Effect.acquireRelease(screen.out("\x1b[?25l"), () => screen.out("\x1b[?25h"))
    return {
      show: (rows, attention = []) => repaint({ rows, attention }, null),
      tell: (happening) => repaint(null, happening)
    }
  })
