import { Link } from "react-router"
import type { Job } from "@/api/client"
import { Ago } from "@/components/ui/ago"
import { Icon } from "@/components/ui/icons"
import { PipelineName } from "@/components/ui/kind"
import type { Output } from "@/features/jobs/outputs"
import { NOTHING_MADE, aboutOf, outputsOf } from "@/features/jobs/outputs"
import { StatusBadge } from "@/features/jobs/status-badge"
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
      <div className="meta px-3 pt-2 text-ink2">
        <PipelineName type={job.pipeline} />
      </div>
      <p className="truncate px-3 pt-0.5 text-small">
        <Link className="after:absolute after:inset-0" to={to}>
          {aboutOf(job) || "Untitled"}
        </Link>
      </p>
      <div className="meta flex flex-wrap justify-between gap-x-2 px-3 pt-0.5 pb-2 text-ink3">
        <StatusBadge status={job.status} />
        <Ago className="whitespace-nowrap" moment={created_at} />
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
      return <Glimpse text={output.value} />
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
  return <Glimpse text={job.metadata.error?.message ?? NOTHING_MADE} />
}

function Glimpse({ text }: { text: string }) {
  return (
    <div className="@container-size size-full p-3">
      <p className="whole-lines text-small text-ink2 wrap-anywhere">{text}</p>
    </div>
  )
}
