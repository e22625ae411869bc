import { useInfiniteQuery } from "@tanstack/react-query"
import { useSearchParams } from "react-router"
import { paths } from "@/app/paths"
import { Button, ButtonLink } from "@/components/ui/button"
import { Page } from "@/components/ui/page"
import { JobFilter } from "@/features/jobs/job-filter"
import { JobTable } from "@/features/jobs/job-table"
import { jobQueries } from "@/features/jobs/queries"
import { LastKnown } from "@/features/status/last-known"
import { Missing } from "@/features/status/missing"

export function JobsRoute() {
  const [search, setSearch] = useSearchParams()
  const list = useInfiniteQuery(jobQueries.list())
  const jobs = list.data?.pages.flatMap((page) => page.jobs) ?? []
  const wanted = search.get("pipeline") ?? ""
  const shown = wanted === "" ? jobs : jobs.filter(({ pipeline }) => pipeline === wanted)
  const filter = (pipeline: string) => setSearch(pipeline === "" ? {} : { pipeline }, { replace: true })
  const heading = (
    <div className="flex flex-wrap items-end justify-between gap-3 pb-4">
      <h1 className="text-title font-medium">Jobs</h1>
      {jobs.length > 0 && <JobFilter chosen={wanted} jobs={jobs} onChoose={filter} />}
    </div>
  )
  return (
    <Page heading={heading} title="Jobs">
      <LastKnown query={list} />
      {list.data === undefined && <Missing reason={list.failureReason} what="the list of jobs" />}
      {list.data !== undefined && jobs.length === 0 && <NoJobs />}
      {shown.length > 0 && <JobTable jobs={shown} now={list.dataUpdatedAt} pathOf={paths.job} />}
      {jobs.length > 0 && shown.length === 0 && (
        <div className="flex flex-wrap items-center gap-3 text-ink2">
          <p>None of the {jobs.length} newest jobs is of this pipeline.</p>
          <Button onClick={() => filter("")}>Show all pipelines</Button>
        </div>
      )}
      {list.hasNextPage && (
        <div className="pt-4 text-center">
          <Button inactive={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {list.isFetchingNextPage ? "Loading…" : "Load more"}
          </Button>
        </div>
      )}
    </Page>
  )
}

function NoJobs() {
  const command = `curl ${window.location.origin}/jobs -H "Content-Type: application/json" \\\n  -d '{"pipeline": "text_to_text", "inputs": {"text": "Hello"}}'`
  return (
    <div className="max-w-[75ch] space-y-4">
      <p className="text-ink2">No jobs yet. Make the first one here, or from a terminal:</p>
      <pre className="meta border border-line bg-surface p-3 wrap-anywhere whitespace-pre-wrap">{command}</pre>
      <ButtonLink look="primary" to={paths.create}>
        Create a job
      </ButtonLink>
    </div>
  )
}
