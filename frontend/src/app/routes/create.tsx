import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useNavigate, useSearchParams } from "react-router"
import type { Job } from "@/api/client"
import { LoadProblem } from "@/app/load-problem"
import { paths } from "@/app/paths"
import { LatestRun } from "@/app/latest-run"
import { ButtonLink } from "@/components/ui/button"
import { Loading, Page, Section } from "@/components/ui/page"
import { Composer } from "@/features/create/composer"
import { EMPTY, draftLike, draftWith } from "@/features/create/start"
import { JobFrame } from "@/features/jobs/job-frame"
import { outputsOf } from "@/features/jobs/outputs"
import { jobQueries } from "@/features/jobs/queries"
import { pipelinesQuery, providersQuery, readinessQuery } from "@/features/pipelines/queries"

const DEFAULT_PIPELINE = "text_to_image"
const FRAMES = 12

export function CreateRoute() {
  const [search] = useSearchParams()
  const run = search.get("run")
  const recent = useQuery(jobQueries.recent()).data ?? []
  const frames = recent.filter(({ job_id }) => job_id !== run).slice(0, FRAMES)
  return (
    <>
      <div className="border-b border-line bg-surface">
        <Page heading={<h1 className="sr-only">Create</h1>} title="Create">
          <Studio recent={recent} />
        </Page>
      </div>
      <div className="mx-auto max-w-7xl px-4 pb-10 md:px-8">
        {run !== null && <LatestRun id={run} />}
        {frames.length > 0 && (
          <Section
            aside={
              <ButtonLink look="quiet" to={paths.jobs}>
                All jobs
              </ButtonLink>
            }
            title="Recent"
          >
            <ul className="grid grid-cols-2 gap-3 md:grid-cols-[repeat(auto-fill,minmax(200px,1fr))] md:gap-4">
              {frames.map((job) => (
                <JobFrame job={job} key={job.job_id} to={paths.job(job.job_id)} />
              ))}
            </ul>
          </Section>
        )}
      </div>
    </>
  )
}

function Studio({ recent }: { recent: readonly Job[] }) {
  const [search] = useSearchParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const from = search.get("from")
  const use = search.get("use")
  const pipelines = useQuery(pipelinesQuery)
  const providers = useQuery(providersQuery)
  const readiness = useQuery(readinessQuery)
  const origin = useQuery({ ...jobQueries.detail(from ?? ""), enabled: from !== null })

  const failed = [pipelines, providers, readiness].find(({ data, error }) => data === undefined && error !== null)
  if (failed?.error) return <LoadProblem error={failed.error} onRetry={() => void failed.refetch()} />
  if (!pipelines.data || !providers.data || !readiness.data || (from !== null && origin.isLoading)) {
    return <Loading className="h-96" label="Loading the form" />
  }
  const [first] = pipelines.data
  const wanted = search.get("p") ?? DEFAULT_PIPELINE
  const chosen = pipelines.data.find(({ type }) => type === wanted) ?? first
  if (chosen === undefined) return <p>The gateway offers no pipeline.</p>

  const job = origin.data
  const start = job === undefined ? EMPTY : use === null ? draftLike(job, pipelines.data) : draftWith(job, use)
  const pathWith = (changes: Record<string, string>) =>
    `/?${new URLSearchParams({ ...Object.fromEntries(search), ...changes }).toString()}`
  const show = (created: Job) => {
    client.setQueryData(jobQueries.detail(created.job_id).queryKey, created)
    void client.invalidateQueries({ queryKey: jobQueries.recent().queryKey })
    void navigate(pathWith({ p: chosen.type, run: created.job_id }), { replace: true, preventScrollReset: true })
  }
  return (
    <Composer
      chosen={chosen}
      earlier={recent.flatMap(outputsOf)}
      key={`${from ?? ""} ${use ?? ""}`}
      onCreated={show}
      pathOf={(type) => pathWith({ p: type })}
      pipelines={pipelines.data}
      providers={providers.data}
      readiness={readiness.data}
      start={start}
    />
  )
}
