import { useQuery } from "@tanstack/react-query"
import { useEffect, useRef } from "react"
import { MissingJob } from "@/app/missing-job"
import { paths } from "@/app/paths"
import { UseLinks } from "@/app/use-links"
import { ButtonLink } from "@/components/ui/button"
import { PipelineName } from "@/components/ui/kind"
import { Section } from "@/components/ui/page"
import { CancelButton } from "@/features/jobs/cancel-button"
import { JobResult } from "@/features/jobs/job-result"
import { StatusBadge } from "@/features/jobs/status-badge"
import { useJob } from "@/features/jobs/use-job"
import { pipelinesQuery } from "@/features/pipelines/queries"
import { LastKnown } from "@/features/status/last-known"
import { between, duration } from "@/lib/format"

/** The job that was started here last, and what it has come to. */
export function LatestRun({ id }: { id: string }) {
  const place = useRef<HTMLDivElement>(null)
  const { query, now } = useJob(id)
  const job = query.data
  const pipelines = useQuery(pipelinesQuery).data ?? []
  useEffect(() => {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches
    place.current?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" })
  }, [id])
  return (
    <div className="scroll-mb-8" ref={place}>
      <Section
        aside={
          job !== undefined && (
            <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-ink2">
              <PipelineName type={job.pipeline} />
              <StatusBadge status={job.status} />
              <span>{duration(between(job.metadata.created_at, job.metadata.completed_at, now))}</span>
              <CancelButton job={job} key={id} />
              <ButtonLink to={paths.job(id)}>Steps and details</ButtonLink>
            </div>
          )
        }
        title="Latest run"
      >
        <LastKnown query={query} />
        {job === undefined ? (
          <MissingJob id={id} reason={query.failureReason} what="the job" />
        ) : (
          <JobResult job={job} more={(output) => <UseLinks output={output} pipelines={pipelines} />} />
        )}
      </Section>
    </div>
  )
}
