import { useInfiniteQuery } from "@tanstack/react-query"
import { useRef, useState } from "react"
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
  const filterControl = useRef<HTMLSelectElement>(null)
  const list = useInfiniteQuery(jobQueries.list())
  const jobs = list.data?.pages.flatMap((page) => page.jobs) ?? []
  const wanted = search.get("pipeline") ?? ""
  const shown = wanted === "" ? jobs : jobs.filter(({ pipeline }) => pipeline === wanted)
  const filter = (pipeline: string) => setSearch(pipeline === "" ? {} : { pipeline }, { replace: true })
  const showAll = () => {
    filter("")
    // The button is about to vanish; its place is taken by what does the same.
    filterControl.current?.focus()
  }
  const heading = (
    <div className="flex flex-wrap items-end justify-between gap-3 pb-4">
      <h1 className="text-title font-medium">Jobs</h1>
      {jobs.length > 0 && <JobFilter chosen={wanted} control={filterControl} jobs={jobs} onChoose={filter} />}
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
          <Button onClick={showAll}>Show all pipelines</Button>
        </div>
      )}
      <LoadMore
        hasMore={list.hasNextPage}
        isLoading={list.isFetchingNextPage}
        onLoad={() => void list.fetchNextPage()}
      />
    </Page>
  )
}

interface LoadMoreProps {
  hasMore: boolean
  isLoading: boolean
  onLoad: () => void
}

/** Fetches the next page. Gone when there is none, except where it has been used: taking it away would lose the focus. */
function LoadMore({ hasMore, isLoading, onLoad }: LoadMoreProps) {
  const [used, setUsed] = useState(false)
  if (!hasMore && !used) return null
  const load = () => {
    setUsed(true)
    onLoad()
  }
  return (
    <div className="pt-4 text-center">
      <Button inactive={isLoading || !hasMore} onClick={load}>
        {isLoading ? "Loading…" : hasMore ? "Load more" : "These are all jobs"}
      </Button>
    </div>
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
