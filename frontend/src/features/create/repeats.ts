const PAUSE_MS = 1_000

/**
 * Tells the same request sent again by a double click or an impatient key from one that is meant: between that and the one
 * before, its answer and what was held back included, lies a pause.
 */
export class Repeats {
  private body = ""
  private at = -Infinity

  /** Whether a request repeats the last one; `now` are milliseconds of a clock that never goes back. */
  has(body: string, now: number): boolean {
    const repeats = body === this.body && now - this.at < PAUSE_MS
    this.body = body
    this.at = now
    return repeats
  }

  /** The last request has been answered. */
  answered(now: number): void {
    this.at = now
  }
}
