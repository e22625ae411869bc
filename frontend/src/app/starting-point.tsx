import { useQuery } from "@tanstack/react-query"
import { useEffect } from "react"
import { useNavigate, useSearchParams } from "react-router"
import type { Pipeline } from "@/api/client"
import { MissingJob } from "@/app/missing-job"
import { paths } from "@/app/paths"
import { Notice } from "@/components/ui/notice"
import { keepDraft, keptDraft } from "@/features/create/draft"
import { draftLike, draftWith } from "@/features/create/start"
import { jobQueries } from "@/features/jobs/queries"
import { isJobId } from "@/lib/job-id"

interface Point {
  /** The job that the form is to be filled from. */
  from: string | null
  reason: Error | null
  /** Whether the job is known but has not made the wanted output. */
  lacksOutput: boolean
  /** Whether the form is about to be filled. */
  isAwaited: boolean
}

/**
 * Fills the form from the job that the address names, once it is known, and then takes the job out of the address: whoever
 * reloads the page or comes back to it finds what they have typed since.
 */
export function useStartingPoint(pipelines: readonly Pipeline[] | undefined): Point {
  const [search] = useSearchParams()
  const navigate = useNavigate()
  const from = search.get("from")
  const use = search.get("use")
  const wanted = search.get("p")
  const { data, failureReason } = useQuery(jobQueries.detail(from ?? ""))
  const job = from === null ? undefined : data
  useEffect(() => {
    if (job === undefined || pipelines === undefined) return
    const filled = use === null ? draftLike(keptDraft(), job, pipelines) : draftWith(keptDraft(), job, use)
    if (filled === null) return
    const type = use === null ? job.pipeline : (wanted ?? job.pipeline)
    keepDraft(filled)
    void navigate(paths.pipeline(type), { replace: true, preventScrollReset: true })
  }, [job, navigate, pipelines, use, wanted])
  const reason = job === undefined ? failureReason : null
  const lacksOutput = job !== undefined && use !== null && draftWith(keptDraft(), job, use) === null
  const isAwaited = from !== null && isJobId(from) && reason === null && !lacksOutput
  return { from, reason, lacksOutput, isAwaited }
}

/** Says why the form is not filled from the job that the address names. */
export function StartingPoint({ point: { from, reason, lacksOutput, isAwaited } }: { point: Point }) {
  if (from === null) return null
  if (lacksOutput) {
    return (
      <Notice title="The job has not made the output that this form should start from." tone="waiting">
        <p>If it still runs, the form is filled when it has; until then it shows what you typed last.</p>
      </Notice>
    )
  }
  return (
    <>
      <MissingJob id={from} reason={reason} what="the job that this form should start from" />
      {!isAwaited && <p className="text-ink2">The form shows what you typed last instead.</p>}
    </>
  )
}
