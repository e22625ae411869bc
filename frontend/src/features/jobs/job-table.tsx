import { Link } from "react-router"
import type { Job } from "@/api/client"
import { Ago } from "@/components/ui/ago"
import { PipelineName } from "@/components/ui/kind"
import { aboutOf, outputsOf } from "@/features/jobs/outputs"
import { StatusBadge } from "@/features/jobs/status-badge"
import { between, duration } from "@/lib/format"

const HEAD = "py-1.5 pr-4 font-normal first:pl-2"

interface JobTableProps {
  jobs: readonly Job[]
  /** When the jobs were as they are here. */
  now: number
  pathOf: (id: string) => string
}

/** Jobs as a table; on narrow screens each row becomes a card. */
export function JobTable({ jobs, now, pathOf }: JobTableProps) {
  return (
    <table className="block w-full lg:-mx-2 lg:table lg:w-[calc(100%+1rem)] lg:table-fixed">
      <caption className="sr-only">Jobs, newest first</caption>
      <thead className="hidden lg:table-header-group">
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
          <th className={`${HEAD} hidden w-36 xl:table-cell`} scope="col">
            provider
          </th>
          <th className={`${HEAD} w-24 text-right`} scope="col">
            duration
          </th>
          <th className="w-28 py-1.5 pr-2 text-right font-normal" scope="col">
            created
          </th>
        </tr>
      </thead>
      <tbody className="block space-y-2 lg:table-row-group">
        {jobs.map((job) => (
          <Row job={job} key={job.job_id} now={now} to={pathOf(job.job_id)} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ job, now, to }: { job: Job; now: number; to: string }) {
  const { created_at, started_at, completed_at, provider } = job.metadata
  return (
    <tr className="relative grid grid-cols-[1fr_auto] gap-x-4 border border-line bg-surface px-3 py-2 hover:bg-sunken sm:grid-cols-[7rem_1fr_auto_auto] lg:table-row lg:h-9 lg:border-0 lg:border-b lg:bg-transparent pointer-coarse:lg:h-11">
      <td className="lg:pr-4 lg:pl-2">
        <StatusBadge status={job.status} />
      </td>
      <td className="text-right text-ink2 sm:text-left lg:pr-4">
        <PipelineName type={job.pipeline} />
      </td>
      <td className="order-first col-span-full pb-1 lg:py-0 lg:pr-4">
        <span className="flex min-w-0 items-center gap-3">
          <Thumbnail job={job} />
          <Link className="truncate font-medium after:absolute after:inset-0" to={to}>
            {aboutOf(job) || "Untitled"}
          </Link>
        </span>
      </td>
      <td className="meta hidden truncate pr-4 text-ink2 xl:table-cell">{provider ?? "–"}</td>
      <td className="meta pt-0.5 text-ink2 lg:pr-4 lg:text-right">
        {started_at === null ? "–" : duration(between(created_at, completed_at, now))}
      </td>
      <td className="meta pt-0.5 text-right text-ink3 lg:pr-2">
        <Ago moment={created_at} />
      </td>
    </tr>
  )
}

function Thumbnail({ job }: { job: Job }) {
  const image = outputsOf(job).find((output) => output.kind === "image")
  if (image === undefined) return null
  return <img alt="" className="size-7 shrink-0 bg-sunken object-cover" loading="lazy" src={image.value} />
}
