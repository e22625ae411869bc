import { useEffect, useRef } from "react"
import { ProblemError } from "@/api/errors"
import { Notice } from "@/components/ui/notice"
import { explained } from "@/features/create/explained"
import type { Submission } from "@/features/create/submission"
import { words } from "@/lib/format"

interface RefusalProps {
  submission: Submission
  /** The pipeline whose form is shown, and its fields. */
  pipeline: string
  known: ReadonlySet<string>
}

/** Why a job was not accepted, beside what stands at its fields. */
export function Refusal({ submission, pipeline, known }: RefusalProps) {
  const { error } = submission
  const place = useRef<HTMLDivElement>(null)
  const elsewhere = submission.pipeline !== undefined && submission.pipeline !== pipeline ? submission.pipeline : null
  const reasons =
    error instanceof ProblemError ? explained(error.problem, elsewhere === null ? known : new Set()) : null
  const atFields = reasons?.atFields ?? false
  useEffect(() => {
    // Where a field is wrong, the focus goes there instead.
    if (error !== null && !atFields) place.current?.scrollIntoView({ block: "nearest" })
  }, [error, atFields])
  return (
    <div className="scroll-mb-24" ref={place} role="alert">
      {error !== null && reasons === null && (
        <Notice title="The gateway did not answer, so it is not known whether it took the job." tone="failed">
          <p>
            What you have typed is kept. Look at the jobs when it answers again, and run it once more if it is not
            there.
          </p>
        </Notice>
      )}
      {reasons !== null && (
        <Notice title={reasons.title} tone="failed">
          {elsewhere !== null && <p>This is about your run of {words(elsewhere).toLowerCase()}.</p>}
          {reasons.lines.map((line) => (
            <p key={line}>{line}</p>
          ))}
          {reasons.requestId !== "" && <p className="meta text-ink3">request {reasons.requestId}</p>}
        </Notice>
      )}
    </div>
  )
}
