import type { Job } from "@/api/client"
import { isTerminal } from "@/lib/polling"

export interface JobPage {
  jobs: Job[]
  /** The cursor of the next page, null on the last one. */
  next: string | null
}

/** The cursor that a `Link` header of the job list leads on with, null on the last page. */
export function nextCursor(link: string | null): string | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1]
  return target === undefined ? null : new URL(target, "http://gateway").searchParams.get("cursor")
}

/** Whether nothing in the page can change any more. */
export function isSettled({ jobs }: JobPage): boolean {
  return jobs.every(({ status }) => isTerminal(status))
}

/**
 * A first page brought up to date with a fresh one: new jobs join at its top and none leaves at its end, so that the pages
 * below it keep their cursors. The fresh one alone where the two do not join, or where what it does not reach may change.
 */
export function grown(known: JobPage, fresh: JobPage): JobPage {
  const last = fresh.jobs.at(-1)?.job_id
  const joint = known.jobs.findIndex(({ job_id }) => job_id === last)
  const rest = { jobs: known.jobs.slice(joint + 1), next: known.next }
  return joint >= 0 && isSettled(rest) ? { jobs: [...fresh.jobs, ...rest.jobs], next: rest.next } : fresh
}
