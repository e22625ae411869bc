import type { Attempt, Job, Step } from "@/api/client"
import { Icon } from "@/components/ui/icons"
import type { IconName } from "@/components/ui/icons"
import { kindFill } from "@/components/ui/kind"
import { Prose } from "@/components/ui/prose"
import type { StepState } from "@/features/jobs/timeline"
import { barOf, outcomeOf, stateOfStep } from "@/features/jobs/timeline"
import { between, cost, duration, words } from "@/lib/format"
import { kindOfCapability } from "@/lib/kinds"

const LOOKS: Readonly<Record<StepState, { icon: IconName; className: string; fill?: string }>> = {
  waiting: { icon: "circle", className: "" },
  running: { icon: "circle", className: "breathe text-live" },
  done: { icon: "check", className: "" },
  failed: { icon: "cross", className: "text-failed", fill: "bg-failed" },
  skipped: { icon: "dash", className: "text-ink3" },
  canceled: { icon: "slash", className: "text-ink3", fill: "bg-ink3" },
  "not started": { icon: "dash", className: "text-ink3" },
}

/** The steps of a job over its time, each with its attempts. */
export function StepTimeline({ job, now }: { job: Job; now: number }) {
  return (
    <ol className="border-y border-line">
      {job.steps.map((step) => (
        <StepRow job={job} key={step.name} now={now} step={step} />
      ))}
    </ol>
  )
}

function StepRow({ job, step, now }: { job: Job; step: Step; now: number }) {
  const state = stateOfStep(step, job)
  const { icon, className } = LOOKS[state]
  return (
    <li className="border-t border-line py-3 first:border-t-0">
      <div className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1.5">
        <p className="flex min-w-0 items-center gap-2">
          <span className={className}>
            <Icon name={icon} size={14} />
          </span>
          <span className="font-medium">{words(step.name)}</span>
          <span className="meta text-ink3">{state}</span>
        </p>
        <Bar job={job} now={now} state={state} step={step} />
        <span className="meta text-right text-ink2">
          {step.started_at === null ? "–" : duration(between(step.started_at, step.completed_at, now))}
        </span>
      </div>
      <div className="pl-5.5">
        {step.attempts.length > 0 && <Attempts step={step} now={now} />}
        {step.status === "waiting" && step.retry_at !== null && (
          <p className="mt-1 text-small text-live">
            Tries again in {duration(Math.max(0, Date.parse(step.retry_at) - now))}.
          </p>
        )}
        <StepText job={job} step={step} />
        {step.status === "failed" && step.error !== null && job.status === "completed" && (
          <p className="mt-1 text-small text-ink2">The job went on without this step.</p>
        )}
      </div>
    </li>
  )
}

function Bar({ job, step, state, now }: { job: Job; step: Step; state: StepState; now: number }) {
  const bar = barOf(step, job, now)
  const hue = LOOKS[state].fill ?? kindFill(kindOfCapability(step.capability))
  return (
    <div aria-hidden="true" className="relative order-last col-span-2 h-2 bg-sunken">
      {bar !== null && (
        <span
          className={`absolute inset-y-0 min-w-0.5 ${state === "running" ? "breathe" : ""} ${hue}`}
          style={{ left: `${bar.start * 100}%`, width: `${bar.length * 100}%` }}
        />
      )}
    </div>
  )
}

/** The text that a step made for later steps to work with; what is an output of the job stands there. */
function StepText({ job, step }: { job: Job; step: Step }) {
  const text = step.output?.text
  if (typeof text !== "string" || text === job.outputs.text) return null
  return (
    <details className="mt-1 text-small text-ink2">
      <summary className="w-max py-1 hover:text-ink">What it wrote</summary>
      <p className="whitespace-pre-wrap wrap-anywhere">{text}</p>
    </details>
  )
}

function Attempts({ step, now }: { step: Step; now: number }) {
  return (
    <ol className="mt-1.5 space-y-1.5" aria-label={`Attempts of ${step.name}`}>
      {step.attempts.map((attempt) => (
        <AttemptRow attempt={attempt} key={`${attempt.number} ${attempt.model} ${attempt.created_at}`} now={now} />
      ))}
    </ol>
  )
}

function AttemptRow({ attempt, now }: { attempt: Attempt; now: number }) {
  const { word, error } = outcomeOf(attempt)
  return (
    <li>
      <p className="meta flex flex-wrap gap-x-3 text-ink2">
        <span>Attempt {attempt.number}</span>
        <span className="wrap-anywhere">{attempt.model}</span>
        <span className={error === null ? "text-ink3" : "text-failed"}>{word}</span>
        <span className="text-ink3">{duration(between(attempt.created_at, attempt.settled_at, now))}</span>
        {attempt.cost_microdollars !== null && <span className="text-ink3">{cost(attempt.cost_microdollars)}</span>}
      </p>
      {error !== null && (
        <p className="text-small text-ink2 wrap-anywhere">
          <Prose text={`${error.message} ${error.hint}`} />
        </p>
      )}
      {attempt.warnings.map((warning) => (
        <p className="flex gap-1.5 text-small text-ink2" key={warning}>
          <span className="pt-0.5 text-live">
            <Icon name="warning" size={14} />
          </span>
          {warning}
        </p>
      ))}
    </li>
  )
}
