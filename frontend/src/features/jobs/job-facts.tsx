import type { ReactNode } from "react"
import type { Job } from "@/api/client"
import { AudioPlayer } from "@/components/ui/audio-player"
import { CopyButton } from "@/components/ui/copy-button"
import { cost, exact, words } from "@/lib/format"
import { kindOfFormat } from "@/lib/kinds"

/** What a job was asked and what is known about it. */
export function JobFacts({ job }: { job: Job }) {
  const { provider, worker_used, created_at, completed_at, cost_microdollars } = job.metadata
  const options = Object.entries(job.options)
  return (
    <div className="grid gap-x-10 gap-y-6 md:grid-cols-2 lg:grid-cols-1">
      <dl className="space-y-3">
        {Object.entries(job.inputs).map(([name, value]) => (
          <Fact key={name} name={words(name)}>
            <Input name={name} value={value} />
          </Fact>
        ))}
        {options.map(([name, value]) => (
          <Fact key={name} name={words(name)}>
            <span className="whitespace-pre-wrap">{shown(value)}</span>
          </Fact>
        ))}
        {options.length === 0 && <Fact name="Options">All left to their defaults</Fact>}
      </dl>
      <dl className="space-y-3">
        <Fact name="Provider">{provider ?? "None"}</Fact>
        <Fact name="Workers">{worker_used ?? "None"}</Fact>
        <Fact name="Cost">{cost(cost_microdollars)}</Fact>
        <Fact name="Created">{exact(created_at)}</Fact>
        {completed_at !== null && <Fact name="Ended">{exact(completed_at)}</Fact>}
        <Fact name="Job id">
          <span className="flex flex-wrap items-center gap-2">
            <code className="meta wrap-anywhere">{job.job_id}</code>
            <CopyButton look="quiet" text={job.job_id} />
          </span>
        </Fact>
      </dl>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[100px_1fr] gap-3">
      <dt className="text-ink3">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  )
}

function Input({ name, value }: { name: string; value: unknown }) {
  const kind = kindOfFormat(name)
  const text = shown(value)
  if (!text.startsWith("/storage/")) return <span className="whitespace-pre-wrap">{text}</span>
  if (kind === "image") return <img alt="Input" className="max-h-48 max-w-full" src={text} />
  if (kind === "audio") return <AudioPlayer label="Input" src={text} />
  return text
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
