import { Link } from "react-router"
import type { Job } from "@/api/client"
import { PipelineName } from "@/components/ui/kind"
import { aboutOf, outputsOf } from "@/features/jobs/outputs"
import { StatusBadge } from "@/features/jobs/status-badge"
import { ago, between, duration, exact } from "@/lib/format"

const HEAD = "py-1.5 pr-4 font-normal"

/** Jobs as a table; on narrow screens each row becomes a card. */
export function JobTable({ jobs, pathOf }: { jobs: readonly Job[]; pathOf: (id: string) => string }) {
  return (
    <table className="block w-full md:table md:table-fixed">
      <caption className="sr-only">Jobs, newest first</caption>
      <thead className="hidden md:table-header-group">
        <tr className="meta border-b border-line text-left text-ink3">
          <th className={`${HEAD} w-28`} scope="col">
            status
          </th>
          <th className={`${HEAD} w-40`} scope="col">
            pipeline
          </th>
          <th className={HEAD} scope="col">
            job
          </th>
          <th className={`${HEAD} hidden w-36 lg:table-cell`} scope="col">
            provider
          </th>
          <th className={`${HEAD} w-24 text-right`} scope="col">
            duration
          </th>
          <th className="w-32 py-1.5 text-right font-normal" scope="col">
            created
          </th>
        </tr>
      </thead>
      <tbody className="block space-y-2 md:table-row-group">
        {jobs.map((job) => (
          <Row job={job} key={job.job_id} to={pathOf(job.job_id)} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ job, to }: { job: Job; to: string }) {
  const { created_at, started_at, completed_at, provider } = job.metadata
  return (
    <tr className="relative grid grid-cols-[1fr_auto] gap-x-3 border border-line bg-surface px-3 py-2 hover:bg-sunken md:table-row md:h-11 md:border-0 md:border-b md:bg-transparent">
      <td className="md:pr-4">
        <StatusBadge status={job.status} />
      </td>
      <td className="text-right text-ink2 md:pr-4 md:text-left">
        <PipelineName type={job.pipeline} />
      </td>
      <td className="col-span-2 py-1 md:py-0 md:pr-4">
        <span className="flex min-w-0 items-center gap-3">
          <Thumbnail job={job} />
          <Link className="truncate font-medium after:absolute after:inset-0" to={to}>
            {aboutOf(job) || "Untitled"}
          </Link>
        </span>
      </td>
      <td className="meta hidden truncate pr-4 text-ink2 lg:table-cell">{provider ?? "–"}</td>
      <td className="meta text-ink2 md:pr-4 md:text-right">
        {started_at === null ? "–" : duration(between(created_at, completed_at))}
      </td>
      <td className="meta text-right text-ink3">
        <time dateTime={created_at} title={exact(created_at)}>
          {ago(created_at)}
        </time>
      </td>
    </tr>
  )
}

function Thumbnail({ job }: { job: Job }) {
  const image = outputsOf(job).find((output) => output.kind === "image")
  if (image === undefined) return null
  return <img alt="" className="size-8 shrink-0 bg-sunken object-cover" loading="lazy" src={image.value} />
}
