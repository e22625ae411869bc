import type { ReactNode } from "react"
import { Prose } from "@/components/ui/prose"

/** What ties a control to its label, hint and error. */
export interface ControlProps {
  id: string
  "aria-describedby": string | undefined
  "aria-invalid": boolean
}

interface LabeledProps {
  id: string
  label: string
  hint?: string
  error?: string | undefined
  children: (control: ControlProps) => ReactNode
}

/** A control with its label and hint above, and its error below. */
export function Labeled({ id, label, hint = "", error, children }: LabeledProps) {
  const hintId = `${id}-hint`
  const errorId = `${id}-error`
  const described = [error === undefined ? "" : errorId, hint === "" ? "" : hintId].filter(Boolean).join(" ")
  return (
    <div className="field">
      <div className="field-head">
        <label className="field-label" htmlFor={id}>
          {label}
        </label>
        {hint !== "" && (
          <p className="text-small text-ink3" id={hintId}>
            <Prose text={hint} />
          </p>
        )}
      </div>
      <div className="min-w-0">
        {children({ id, "aria-describedby": described || undefined, "aria-invalid": error !== undefined })}
        {error !== undefined && (
          <p className="mt-1 text-small font-medium text-failed wrap-anywhere" id={errorId}>
            {error}
          </p>
        )}
      </div>
    </div>
  )
}
