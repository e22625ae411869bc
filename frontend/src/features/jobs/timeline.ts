import type { Job, Step } from "@/api/client"

/** Where a step lies within its job's time, both from 0 to 1; null for a step that has not started. */
export function barOf(step: Step, job: Job, now: number): { start: number; length: number } | null {
  if (step.started_at === null) return null
  const begin = Date.parse(job.metadata.started_at ?? job.metadata.created_at)
  const end = momentOr(job.metadata.completed_at, now)
  const whole = Math.max(1, end - begin)
  const start = clamp((Date.parse(step.started_at) - begin) / whole)
  return { start, length: clamp((momentOr(step.completed_at, now) - begin) / whole) - start }
}

function momentOr(moment: string | null, fallback: number): number {
  return moment === null ? fallback : Date.parse(moment)
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}
