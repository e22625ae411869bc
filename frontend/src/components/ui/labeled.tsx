import type { ReactNode } from "react"
import { Prose } from "@/components/ui/prose"

/** What is said about a control: its label above it, its error and hint below. */
export interface Remarks {
  id: string
  label: string
  hint?: string
  error?: string | undefined
}

/** What ties a control to its label, hint and error. */
export interface ControlProps {
  id: string
  "aria-describedby": string | undefined
  "aria-invalid": boolean
}

/** A control with what is said about it. */
export function Labeled({ children, ...remarks }: Remarks & { children: (control: ControlProps) => ReactNode }) {
  const { id, label, error } = remarks
  return (
    <div className="min-w-0">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": describedBy(remarks), "aria-invalid": error !== undefined })}
      <Below {...remarks} />
    </div>
  )
}

/** Several controls that are one choice, with what is said about it. */
export function LabeledGroup({ children, ...remarks }: Remarks & { children: ReactNode }) {
  const { id, label } = remarks
  return (
    <div className="min-w-0">
      <span className="field-label" id={`${id}-label`}>
        {label}
      </span>
      <div aria-describedby={describedBy(remarks)} aria-labelledby={`${id}-label`} role="radiogroup">
        {children}
      </div>
      <Below {...remarks} />
    </div>
  )
}

function Below({ id, hint = "", error }: Remarks) {
  return (
    <>
      {error !== undefined && (
        <p className="mt-1 text-small font-medium text-failed wrap-anywhere" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint !== "" && (
        <p className="mt-1 text-small text-ink3" id={`${id}-hint`}>
          <Prose text={hint} />
        </p>
      )}
    </>
  )
}

function describedBy({ id, hint = "", error }: Remarks): string | undefined {
  const ids = [error === undefined ? "" : `${id}-error`, hint === "" ? "" : `${id}-hint`]
  return ids.filter(Boolean).join(" ") || undefined
}
