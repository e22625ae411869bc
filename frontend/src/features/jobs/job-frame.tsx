import { Link } from "react-router"
import type { Job } from "@/api/client"
import { Icon } from "@/components/ui/icons"
import { PipelineName } from "@/components/ui/kind"
import type { Output } from "@/features/jobs/outputs"
import { aboutOf, outputsOf } from "@/features/jobs/outputs"
import { StatusBadge } from "@/features/jobs/status-badge"
import { ago } from "@/lib/format"
import { isTerminal } from "@/lib/polling"

/** A job as a frame of the contact sheet: what it made above its caption; the whole frame leads to the job. */
export function JobFrame({ job, to }: { job: Job; to: string }) {
  const [output] = outputsOf(job)
  const { created_at } = job.metadata
  return (
    <li className="relative flex flex-col border border-line bg-surface focus-within:border-ink hover:border-edge">
      <div className="aspect-4/3 overflow-hidden bg-sunken">
        <Picture job={job} output={output} />
      </div>
      <div className="meta px-2.5 pt-2 text-ink2">
        <PipelineName type={job.pipeline} />
      </div>
      <p className="truncate px-2.5 pt-0.5 text-small">
        <Link className="after:absolute after:inset-0" to={to}>
          {aboutOf(job) || "Untitled"}
        </Link>
      </p>
      <div className="meta flex justify-between gap-2 px-2.5 pt-0.5 pb-2 text-ink3">
        <StatusBadge status={job.status} />
        <span className="truncate">{ago(created_at)}</span>
      </div>
    </li>
  )
}

function Picture({ job, output }: { job: Job; output: Output | undefined }) {
  if (output === undefined) return <Empty job={job} />
  switch (output.kind) {
    case "image":
      return <img alt="" className="appear size-full object-cover" loading="lazy" src={output.value} />
    case "text":
      return <p className="line-clamp-7 p-3 text-small text-ink2 wrap-anywhere">{output.value}</p>
    case "audio":
      return (
        <div className="grid size-full place-items-center text-audio">
          <Icon name="audio" size={56} />
        </div>
      )
  }
}

function Empty({ job }: { job: Job }) {
  if (!isTerminal(job.status)) return <div className="developing size-full" />
  const message = job.metadata.error?.message ?? "Canceled before it made anything."
  return <p className="line-clamp-6 p-3 text-small text-ink2 wrap-anywhere">{message}</p>
}
