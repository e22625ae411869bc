import { ProblemError } from "@/api/errors"
import { paths } from "@/app/paths"
import { ButtonLink } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import { Missing } from "@/features/status/missing"
import { isJobId } from "@/lib/job-id"

interface MissingJobProps {
  id: string
  what: string
  reason: Error | null
}

/** Stands where a job will be shown, and says so when there is none. */
export function MissingJob({ id, what, reason }: MissingJobProps) {
  const isUnknown = reason instanceof ProblemError && reason.problem.status === 404
  if (isJobId(id) && !isUnknown) return <Missing reason={reason} what={what} />
  return (
    <Notice title="There is no such job" tone="failed">
      <p>There is no job “{id}” on this server. The link may be mistyped or belong to another server.</p>
      <ButtonLink to={paths.jobs}>See all jobs</ButtonLink>
    </Notice>
  )
}
