import { useQuery } from "@tanstack/react-query"
import { useParams } from "react-router"
import { MissingJob } from "@/app/missing-job"
import { paths } from "@/app/paths"
import { UseLinks } from "@/app/use-links"
import { ButtonLink } from "@/components/ui/button"
import { Page } from "@/components/ui/page"
import { JobView } from "@/features/jobs/job-view"
import { aboutOf } from "@/features/jobs/outputs"
import { useJob } from "@/features/jobs/use-job"
import { pipelinesQuery } from "@/features/pipelines/queries"
import { LastKnown } from "@/features/status/last-known"

export function JobRoute() {
  const { id = "" } = useParams()
  const { query, now } = useJob(id)
  const pipelines = useQuery(pipelinesQuery).data ?? []
  const job = query.data
  if (job === undefined) {
    return (
      <Page heading={<h1 className="pb-4 text-title font-medium">Job</h1>} title="Job">
        <MissingJob id={id} reason={query.failureReason} what="the job" />
      </Page>
    )
  }
  const again = (
    <ButtonLink to={paths.again(job.job_id, job.pipeline)}>
      {job.status === "failed" ? "Change and run again" : "Edit and run again"}
    </ButtonLink>
  )
  return (
    <Page heading={null} title={`${aboutOf(job).slice(0, 60) || "Job"} (${job.status})`}>
      <LastKnown query={query} />
      <JobView
        actions={again}
        job={job}
        more={(output) => <UseLinks output={output} pipelines={pipelines} />}
        now={now}
      />
    </Page>
  )
}
