import type { Problem } from "@/api/errors"
import { byField } from "@/api/errors"

/** What is said of a refused request in one place, each thing once; what is wrong with a `known` field stands there. */
export function explained(problem: Problem, known: ReadonlySet<string>) {
  const { fields, rest } = byField(problem, known)
  const atFields = fields.size > 0
  const title = atFields ? toChange(fields.size) : problem.detail
  const lines = [problem.hint, ...rest].filter((line) => line !== "" && line !== title)
  return { title, lines, atFields, requestId: problem.request_id }
}

function toChange(fields: number): string {
  return fields === 1 ? "One field needs a change." : `${fields} fields need a change.`
}
