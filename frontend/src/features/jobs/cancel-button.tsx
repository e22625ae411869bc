import { useState } from "react"
import type { Job } from "@/api/client"
import { ProblemError } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { useCancelJob } from "@/features/jobs/mutations"
import { isTerminal } from "@/lib/polling"

/** Cancels a job. Gone when the job has ended, except where it has had the focus: taking that away would lose the place. */
export function CancelButton({ job }: { job: Job }) {
  const [used, setUsed] = useState(false)
  const { cancel, isPending, error } = useCancelJob(job.job_id)
  const ended = isTerminal(job.status)
  if (ended && !used) return null
  const asked = isPending || job.metadata.cancel_requested_at !== null
  return (
    <>
      <Button inactive={ended || asked} onClick={cancel} onFocus={() => setUsed(true)}>
        {wordsOf(job, asked)}
      </Button>
      {error !== null && !ended && (
        <p className="text-small text-failed" role="alert">
          {error instanceof ProblemError ? error.message : "The gateway did not answer. Try again."}
        </p>
      )}
    </>
  )
}

function wordsOf({ status }: Job, asked: boolean): string {
  if (status === "canceled") return "Canceled"
  if (isTerminal(status)) return "Too late to cancel"
  return asked ? "Canceling…" : "Cancel job"
}
