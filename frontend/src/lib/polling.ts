/** When a page asks again. */

const TERMINAL: ReadonlySet<string> = new Set(["completed", "failed", "canceled"])
const SHORTEST_MS = 500
const LONGEST_MS = 5_000
const PATIENCE_MS = 15_000
const LIST_MS = 2_000
const IDLE_LIST_MS = 12_000

/** Whether a job's status will not change any more. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status)
}

/**
 * Milliseconds until a job is looked up again, or false when it has ended: twice a second at first, more seldom the longer
 * it takes, up to every five seconds.
 */
export function nextLook(status: string, ageMs: number): number | false {
  if (isTerminal(status)) return false
  return Math.round(Math.min(LONGEST_MS, SHORTEST_MS * Math.max(1, ageMs / PATIENCE_MS)))
}

/** Milliseconds until a list of jobs with these statuses is looked up again: seldom while it can only gain new ones. */
export function nextListLook(statuses: readonly string[]): number {
  return statuses.every(isTerminal) ? IDLE_LIST_MS : LIST_MS
}
