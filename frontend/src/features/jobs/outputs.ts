import type { Job } from "@/api/client"
import type { Kind } from "@/lib/kinds"
import { kindOfFormat } from "@/lib/kinds"

/** Something that a job has made. */
export interface Output {
  jobId: string
  /** Its name in the job's outputs. */
  name: string
  kind: Kind
  /** The text itself, or the file's URL. */
  value: string
  /** What the job was asked for, as far as words tell. */
  about: string
  createdAt: string
}

/** What a job has made so far; files before texts, since they are what such a job is for. */
export function outputsOf(job: Job): Output[] {
  const found = Object.entries(job.outputs).flatMap(([name, value]) => {
    const kind = kindOfFormat(name)
    if (kind === null || typeof value !== "string") return []
    return [{ jobId: job.job_id, name, kind, value, about: aboutOf(job), createdAt: job.metadata.created_at }]
  })
  return found.sort((one, other) => Number(one.kind === "text") - Number(other.kind === "text"))
}

/** The words a job was asked with; those it heard or was styled with where it was given none. */
export function aboutOf(job: Job): string {
  const candidates = [job.inputs.text, job.outputs.text, job.options.prompt, job.options.style]
  const words = candidates.find((candidate) => typeof candidate === "string" && candidate !== "")
  if (typeof words === "string") return words
  const file = job.inputs.audio_url ?? job.inputs.image_url
  return typeof file === "string" ? (file.split("/").at(-1) ?? file) : ""
}
