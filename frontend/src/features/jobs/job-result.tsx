import type { ReactNode } from "react"
import type { Job } from "@/api/client"
import { Notice } from "@/components/ui/notice"
import { adviceFor } from "@/features/jobs/advice"
import { OutputView } from "@/features/jobs/output-view"
import type { Output } from "@/features/jobs/outputs"
import { NOTHING_MADE, outputsOf } from "@/features/jobs/outputs"
import { progressOf } from "@/features/jobs/timeline"
import { between, duration } from "@/lib/format"
import { isTerminal } from "@/lib/polling"

/** What a job has come to: what stands in its way, what it has made, and a place for what it is making. */
export function JobResult({ job, more }: { job: Job; more: (output: Output) => ReactNode }) {
  const { error, waiting_for, warnings } = job.metadata
  const outputs = outputsOf(job)
  return (
    <div className="space-y-4">
      <p aria-live="polite" className="sr-only">
        {announcement(job)}
      </p>
      {error !== null && (
        <Notice title={error.message} tone="failed">
          <p>{adviceFor(error)}</p>
        </Notice>
      )}
      {waiting_for !== null && (
        <Notice title={waiting_for} tone="waiting">
          <p>The job is stored and starts by itself as soon as it can.</p>
        </Notice>
      )}
      {warnings.map((warning) => (
        <Notice key={warning} title={warning} tone="waiting" />
      ))}
      {job.status === "canceled" && (
        <p className="text-ink2">
          {outputs.length > 0 ? "Canceled. What it had made until then is kept." : NOTHING_MADE}
        </p>
      )}
      {outputs.map((output) => (
        <OutputView key={output.name} more={more(output)} output={output} />
      ))}
      {!isTerminal(job.status) && outputs.length === 0 && (
        <div className="developing grid h-[45vh] place-items-center border border-line bg-sunken">
          <p className="text-ink2">{progressOf(job)}</p>
        </div>
      )}
    </div>
  )
}

function announcement(job: Job): string {
  const { started_at, completed_at, error } = job.metadata
  if (job.status === "completed") {
    return started_at === null ? "Job completed." : `Job completed in ${duration(between(started_at, completed_at))}.`
  }
  return error === null ? `Job ${job.status}.` : `Job failed: ${error.message}`
}
