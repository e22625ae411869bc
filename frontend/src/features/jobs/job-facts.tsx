import type { ReactNode } from "react"
import type { Job } from "@/api/client"
import { useFile } from "@/api/files"
import { AudioPlayer } from "@/components/ui/audio-player"
import { Clamped } from "@/components/ui/clamped"
import { CopyIcon } from "@/components/ui/copy-button"
import { FileFrame } from "@/components/ui/file-frame"
import { FileLink } from "@/components/ui/file-link"
import { cost, exact } from "@/lib/format"
import { kindOfFormat } from "@/lib/kinds"
import { labelOf } from "@/lib/wording"

/** What a job was asked and what is known about it. */
export function JobFacts({ job }: { job: Job }) {
  const { provider, created_at, completed_at, cost_microdollars } = job.metadata
  const options = Object.entries(job.options)
  return (
    <div className="space-y-6">
      <dl className="space-y-3">
        {Object.entries(job.inputs).map(([name, value]) => (
          <Fact key={name} name={labelOf(name)}>
            <Input name={name} text={shown(value)} />
          </Fact>
        ))}
        {options.map(([name, value]) => (
          <Fact key={name} name={labelOf(name)}>
            <Clamped text={shown(value)} />
          </Fact>
        ))}
        {options.length === 0 && <Fact name="Options">All left on auto</Fact>}
      </dl>
      <dl className="space-y-3">
        {provider !== null && <Fact name="Provider">{provider}</Fact>}
        {completed_at !== null && <Fact name="Cost">{cost(cost_microdollars)}</Fact>}
        <Fact name="Created">{exact(created_at)}</Fact>
        {completed_at !== null && <Fact name="Ended">{exact(completed_at)}</Fact>}
        <Fact name="Job id">
          <span className="flex items-center gap-1">
            <code className="meta min-w-0 wrap-anywhere">{job.job_id}</code>
            <CopyIcon text={job.job_id} what="job id" />
          </span>
        </Fact>
      </dl>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[96px_1fr] gap-3">
      <dt className="text-ink3">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  )
}

function Input({ name, text }: { name: string; text: string }) {
  const kind = kindOfFormat(name)
  if (!text.startsWith("/storage/")) return <Clamped text={text} />
  return kind === "image" || kind === "audio" ? <FileInput key={text} kind={kind} path={text} /> : text
}

function FileInput({ kind, path }: { kind: "image" | "audio"; path: string }) {
  const file = useFile(path)
  const trouble = `This file cannot be ${kind === "image" ? "shown" : "played"} here.`
  return (
    <FileFrame broken={<FileLink path={path} trouble={trouble} />} file={file}>
      {kind === "image" ? (
        <img alt="Input" className="max-h-48 max-w-full" onError={file.onError} src={path} />
      ) : (
        <AudioPlayer label="Input" onError={file.onError} src={path} />
      )}
    </FileFrame>
  )
}

/** A value as people write it. */
function shown(value: unknown): string {
  if (typeof value === "string") return value
  if (typeof value === "boolean") return value ? "Yes" : "No"
  return Array.isArray(value) ? value.map(shown).join("\n") : JSON.stringify(value)
}
