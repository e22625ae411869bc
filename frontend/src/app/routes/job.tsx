import { useQuery } from "@tanstack/react-query"
import { useParams } from "react-router"
import { LoadProblem } from "@/app/load-problem"
import { paths } from "@/app/paths"
import { UseLinks } from "@/app/use-links"
import { ButtonLink } from "@/components/ui/button"
import { Loading, Page } from "@/components/ui/page"
import { JobView } from "@/features/jobs/job-view"
import { aboutOf } from "@/features/jobs/outputs"
import { jobQueries } from "@/features/jobs/queries"
import { pipelinesQuery } from "@/features/pipelines/queries"

export function JobRoute() {
  const { id = "" } = useParams()
  const { data: job, error, refetch } = useQuery(jobQueries.detail(id))
  const pipelines = useQuery(pipelinesQuery).data ?? []
  if (job === undefined) {
    return (
      <Page heading={<h1 className="pb-4 text-title font-medium">Job</h1>} title="Job">
        {error === null ? (
          <Loading className="h-96" label="Loading the job" />
        ) : (
          <LoadProblem error={error} onRetry={() => void refetch()} />
        )}
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
      <JobView actions={again} job={job} more={(output) => <UseLinks output={output} pipelines={pipelines} />} />
    </Page>
  )
}
