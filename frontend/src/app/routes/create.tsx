import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useNavigate, useSearchParams } from "react-router"
import type { Job, Pipeline } from "@/api/client"
import { paths } from "@/app/paths"
import { LatestRun } from "@/app/latest-run"
import { StartingPoint, useStartingPoint } from "@/app/starting-point"
import { ButtonLink } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import { Page, Section } from "@/components/ui/page"
import { Composer } from "@/features/create/composer"
import { useDraft } from "@/features/create/draft"
import { JobFrame } from "@/features/jobs/job-frame"
import { outputsOf } from "@/features/jobs/outputs"
import { jobQueries } from "@/features/jobs/queries"
import { pipelinesQuery, providersQuery, readinessQuery } from "@/features/pipelines/queries"
import { LastKnown } from "@/features/status/last-known"
import { Missing } from "@/features/status/missing"
import { words } from "@/lib/format"

const DEFAULT_PIPELINE = "text_to_image"
const FRAMES = 12

export function CreateRoute() {
  const [search] = useSearchParams()
  const run = search.get("run")
  const recent = useQuery(jobQueries.recent())
  const frames = recent.data?.filter(({ job_id }) => job_id !== run).slice(0, FRAMES) ?? []
  const isMissing = recent.data === undefined && recent.failureReason !== null
  return (
    <>
      <div className="border-b border-line bg-surface">
        <Page heading={<h1 className="sr-only">Create</h1>} title="Create">
          <Studio recent={{ jobs: recent.data, reason: recent.failureReason }} />
        </Page>
      </div>
      <div className="mx-auto max-w-7xl px-4 pb-10 md:px-8">
        {run !== null && <LatestRun id={run} />}
        {(frames.length > 0 || isMissing) && (
          <Section
            aside={
              <ButtonLink className="-mr-2" look="quiet" to={paths.jobs}>
                All jobs
              </ButtonLink>
            }
            title="Recent"
          >
            <LastKnown query={recent} />
            {isMissing && <Missing reason={recent.failureReason} what="the newest jobs" />}
            {frames.length > 0 && (
              <ul className="grid grid-cols-2 gap-3 md:grid-cols-[repeat(auto-fill,minmax(200px,1fr))] md:gap-4">
                {frames.map((job) => (
                  <JobFrame job={job} key={job.job_id} to={paths.job(job.job_id)} />
                ))}
              </ul>
            )}
          </Section>
        )}
      </div>
    </>
  )
}

function Studio({ recent }: { recent: { jobs: readonly Job[] | undefined; reason: Error | null } }) {
  const [search] = useSearchParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const draft = useDraft()
  const pipelines = useQuery(pipelinesQuery)
  const providers = useQuery(providersQuery)
  const readiness = useQuery(readinessQuery)
  const start = useStartingPoint(pipelines.data)

  if (!pipelines.data || !providers.data || !readiness.data) {
    const lost = [pipelines, providers, readiness].find(({ data, failureReason }) => !data && failureReason !== null)
    return <Missing reason={lost?.failureReason ?? null} what="the form" />
  }
  const wanted = search.get("p")
  const chosen = firstOf([wanted, draft.pipeline, DEFAULT_PIPELINE], pipelines.data)
  if (chosen === undefined) return <p>The gateway offers no pipeline.</p>

  const run = search.get("run")
  const show = (created: Job) => {
    client.setQueryData(jobQueries.detail(created.job_id).queryKey, created)
    void client.invalidateQueries({ queryKey: jobQueries.recent().queryKey })
    void navigate(paths.pipeline(chosen.type, created.job_id), { replace: true, preventScrollReset: true })
  }
  return (
    <div className="space-y-5">
      {wanted !== null && wanted !== chosen.type && (
        <Notice title={`There is no pipeline “${wanted}” here.`} tone="waiting">
          <p>This is the form of {words(chosen.type).toLowerCase()}; the others stand beside it.</p>
        </Notice>
      )}
      <StartingPoint point={start} />
      {!start.isAwaited && (
        <Composer
          chosen={chosen}
          earlier={{ files: recent.jobs?.flatMap(outputsOf) ?? null, reason: recent.reason }}
          onCreated={show}
          pathOf={(type) => paths.pipeline(type, run)}
          pipelines={pipelines.data}
          providers={providers.data}
          readiness={readiness.data}
        />
      )}
    </div>
  )
}

/** The first pipeline that one of the types names, else any. */
function firstOf(types: readonly (string | null)[], pipelines: readonly Pipeline[]): Pipeline | undefined {
  const named = types.flatMap((wanted) => pipelines.filter(({ type }) => type === wanted))
  return named[0] ?? pipelines[0]
}
