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

/** What is said of a canceled job that has no output. */
export const NOTHING_MADE = "Canceled before it made anything."

/** What a job has made so far; files before texts, since they are what such a job is for. */
export function outputsOf(job: Job): Output[] {
  const found = Object.entries(job.outputs).flatMap(([name, value]) => {
    const kind = kindOfFormat(name)
    if (kind === null || typeof value !== "string") return []
    return [{ jobId: job.job_id, name, kind, value, about: aboutOf(job), createdAt: job.metadata.created_at }]
  })
  return found.sort((one, other) => Number(one.kind === "text") - Number(other.kind === "text"))
}

/** What a person asked for: in their words, written or spoken; else by the file they gave and the style they wanted. */
export function aboutOf({ inputs, options, outputs }: Job): string {
  const words = [inputs.text, options.prompt, outputs.text].find(isText)
  if (words !== undefined) return words
  const file = isText(inputs.audio_url) ? nameOf(inputs.audio_url, "recording") : nameOf(inputs.image_url, "image")
  return file !== "" && isText(options.style) ? `${file} in the style “${options.style}”` : file
}

/** A file as people know it: those of the platform's own store have names that mean nothing. */
function nameOf(url: unknown, what: string): string {
  if (!isText(url)) return ""
  if (url.startsWith("/storage/")) return `An earlier ${what}`
  return /([^/?#]+)\/?([?#].*)?$/.exec(url)?.[1] ?? url
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}
