import { useEffect, useRef } from "react"
import { ProblemError, byField } from "@/api/errors"
import { Notice } from "@/components/ui/notice"

/** Why a job was not accepted, beside what stands at its fields. */
export function Refusal({ error, known }: { error: Error | null; known: ReadonlySet<string> }) {
  const place = useRef<HTMLDivElement>(null)
  const found = error instanceof ProblemError ? byField(error.problem, known) : null
  const wrongFields = found?.fields.size ?? 0
  useEffect(() => {
    // Where a field is wrong, the focus goes there instead.
    if (error !== null && wrongFields === 0) place.current?.scrollIntoView({ block: "nearest" })
  }, [error, wrongFields])
  return (
    <div className="scroll-mb-24" ref={place} role="alert">
      {error !== null && !(error instanceof ProblemError) && (
        <Notice title="The gateway did not answer, so it is not known whether it took the job." tone="failed">
          <p>
            What you have typed is kept. Look at the jobs when it answers again, and run it once more if it is not
            there.
          </p>
        </Notice>
      )}
      {error instanceof ProblemError && (
        <Notice title={wrongFields > 0 ? toChange(wrongFields) : error.message} tone="failed">
          {error.problem.hint !== "" && <p>{error.problem.hint}</p>}
          {found?.rest.map((line) => (
            <p key={line}>{line}</p>
          ))}
          {error.problem.request_id !== "" && <p className="meta text-ink3">request {error.problem.request_id}</p>}
        </Notice>
      )}
    </div>
  )
}

function toChange(fields: number): string {
  return fields === 1 ? "One field needs a change." : `${fields} fields need a change.`
}
