import type { Attempt, Job, Step } from "@/api/client"

/** Where a step lies within its job's time, both from 0 to 1; null for a step that has not started. */
export function barOf(step: Step, job: Job, now: number): { start: number; length: number } | null {
  if (step.started_at === null) return null
  const begin = Date.parse(job.metadata.started_at ?? job.metadata.created_at)
  const end = momentOr(job.metadata.completed_at, now)
  const whole = Math.max(1, end - begin)
  const start = clamp((Date.parse(step.started_at) - begin) / whole)
  return { start, length: clamp((momentOr(step.completed_at, now) - begin) / whole) - start }
}

export type StepState = Step["status"] | "canceled" | "not started"

/** What has become of a step: where its job was canceled, none of its steps was skipped. */
export function stateOfStep(step: Step, job: Job): StepState {
  if (job.status !== "canceled" || step.status === "done" || step.status === "failed") return step.status
  return step.started_at === null ? "not started" : "canceled"
}

const ATTEMPT_WORDS: Readonly<Record<Attempt["status"], string>> = {
  intended: "under way",
  pending: "under way",
  succeeded: "succeeded",
  failed: "failed",
  not_sent: "not sent",
  unknown: "outcome unknown",
}

/** What has become of an attempt, and what went wrong with it; being canceled is nothing wrong. */
export function outcomeOf({ status, error }: Attempt): { word: string; error: Attempt["error"] } {
  if (error?.code === "attempt-canceled") return { word: "canceled", error: null }
  return { word: ATTEMPT_WORDS[status], error }
}

/** What a job that has not ended is doing; steps that were left out are not counted, and parts with their step. */
export function progressOf({ status, steps, metadata }: Job): string {
  if (metadata.cancel_requested_at !== null) return "Canceling…"
  const taken = steps.filter((step) => step.status !== "skipped" && step.part_of === null)
  const number = taken.findIndex((step) => step.status === "running") + 1
  const step = taken[number - 1]
  if (step === undefined) return status === "queued" ? "Waiting for a free slot…" : "Working…"
  const parts = steps.filter((part) => part.part_of === step.name)
  const done = parts.filter((part) => part.status === "done").length
  const share = parts.length === 0 ? "" : ` ${done} of ${parts.length} parts`
  return taken.length === 1 ? `Working…${share}` : `Step ${number} of ${taken.length}: ${step.name}…${share}`
}

function momentOr(moment: string | null, fallback: number): number {
  return moment === null ? fallback : Date.parse(moment)
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}
