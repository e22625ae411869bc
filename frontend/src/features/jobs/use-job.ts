import { useQuery } from "@tanstack/react-query"
import { jobQueries } from "@/features/jobs/queries"
import { isTerminal } from "@/lib/polling"
import { useNow } from "@/lib/use-now"

const TICK_MS = 250

/** A job and the time for its clocks: it moves on while the job is known to run, else it is that of the last answer. */
export function useJob(id: string) {
  const query = useQuery(jobQueries.detail(id))
  const { data: job, dataUpdatedAt, failureReason } = query
  const runs = job !== undefined && !isTerminal(job.status) && failureReason === null
  const ticking = useNow(runs ? TICK_MS : null)
  return { query, now: runs ? Math.max(ticking, dataUpdatedAt) : dataUpdatedAt }
}
