/** When a page asks again. */

const TERMINAL: ReadonlySet<string> = new Set(["completed", "failed", "canceled"])
const SHORTEST_MS = 500
const LONGEST_MS = 5_000
const PATIENCE_MS = 15_000

/** Whether a job's status will not change any more. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status)
}

/**
 * Milliseconds until a job is looked up again, or false when it has ended: twice a second at first, more seldom the longer
 * it takes, up to every five seconds; after a failed look-up twice as long each time.
 */
export function nextLook(status: string, ageMs: number, failures = 0): number | false {
  if (isTerminal(status)) return false
  const patience = SHORTEST_MS * Math.max(1, ageMs / PATIENCE_MS)
  return Math.round(Math.min(LONGEST_MS, patience * 2 ** failures))
}
