import type { ReactNode } from "react"
import type { Job } from "@/api/client"
import { Ago } from "@/components/ui/ago"
import { PipelineName } from "@/components/ui/kind"
import { Section } from "@/components/ui/page"
import { CancelButton } from "@/features/jobs/cancel-button"
import { JobFacts } from "@/features/jobs/job-facts"
import { JobResult } from "@/features/jobs/job-result"
import type { Output } from "@/features/jobs/outputs"
import { aboutOf } from "@/features/jobs/outputs"
import { StatusBadge } from "@/features/jobs/status-badge"
import { StepTimeline } from "@/features/jobs/step-timeline"
import { between, duration } from "@/lib/format"

interface JobViewProps {
  job: Job
  /** The time for its clocks. */
  now: number
  /** What can be done with the job as a whole, beside canceling it. */
  actions: ReactNode
  /** What can be done with an output, beside downloading it. */
  more: (output: Output) => ReactNode
}

/** A job in full: what it has come to, its steps over time, and what it was asked. */
export function JobView({ job, now, actions, more }: JobViewProps) {
  const { created_at, completed_at } = job.metadata
  return (
    <>
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 pb-5">
        <div className="min-w-0 max-w-[75ch]">
          <p className="meta pb-1 text-ink2">
            <PipelineName type={job.pipeline} />
          </p>
          <h1 className="line-clamp-3 text-title font-medium wrap-anywhere">{aboutOf(job) || "Untitled job"}</h1>
          <p className="flex flex-wrap gap-x-3 pt-1 text-ink2">
            <StatusBadge status={job.status} />
            <span>{duration(between(created_at, completed_at, now))}</span>
            <Ago moment={created_at} />
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <CancelButton job={job} key={job.job_id} />
          {actions}
        </div>
      </header>
      <div className="grid items-start gap-x-8 lg:grid-cols-[minmax(0,1fr)_380px]">
        <JobResult job={job} more={more} />
        <div className="lg:[&>section:first-child]:mt-0">
          <Section title="Steps">
            <StepTimeline job={job} now={now} />
          </Section>
          <Section title="Details">
            <JobFacts job={job} />
          </Section>
        </div>
      </div>
    </>
  )
}
