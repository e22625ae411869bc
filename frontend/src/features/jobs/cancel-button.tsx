import type { Job } from "@/api/client"
import { ProblemError } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { useCancelJob } from "@/features/jobs/mutations"
import { isTerminal } from "@/lib/polling"

/** Cancels a job that has not ended; gone as soon as it has. */
export function CancelButton({ job }: { job: Job }) {
  const cancel = useCancelJob(job.job_id)
  if (isTerminal(job.status)) return null
  const asked = cancel.isPending || job.metadata.cancel_requested_at !== null
  return (
    <>
      <Button disabled={asked} onClick={() => cancel.mutate()}>
        {asked ? "Canceling…" : "Cancel job"}
      </Button>
      {cancel.error !== null && (
        <p className="text-small text-failed" role="alert">
          {cancel.error instanceof ProblemError ? cancel.error.message : "The gateway does not answer. Try again."}
        </p>
      )}
    </>
  )
}
