import type { RefObject } from "react"
import { useEffect, useState } from "react"
import { ProblemError, byField } from "@/api/errors"
import type { Submission } from "@/features/create/submission"

type Errors = ReadonlyMap<string, string>

const NONE: Errors = new Map()

/**
 * What is wrong with the fields of a pipeline's form, found by the page or by the gateway; each stands until its field is
 * changed. When some is found, the focus goes to the first.
 */
export function useFieldErrors(
  form: RefObject<HTMLFormElement | null>,
  submission: Submission,
  pipeline: string,
  known: ReadonlySet<string>,
) {
  const { error, forget } = submission
  const [errors, setErrors] = useState(NONE)
  const [found, setFound] = useState(NONE)
  const [seen, setSeen] = useState<Error | null>(null)
  const find = (wrong: Errors) => {
    setErrors(wrong)
    setFound(wrong)
  }
  if (error !== seen) {
    setSeen(error)
    if (error instanceof ProblemError && submission.pipeline === pipeline) find(byField(error.problem, known).fields)
  }
  useEffect(() => {
    if (found.size > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus()
  }, [form, found])
  /** The field has been changed, so neither what was found there nor the last refusal holds any more. */
  const change = (field: string) => {
    if (errors.has(field)) setErrors(new Map([...errors].filter(([key]) => key !== field)))
    if (error !== null) forget()
  }
  return { errors, find, change }
}
