import type { UseQueryResult } from "@tanstack/react-query"
import { Prose } from "@/components/ui/prose"

type Known = Pick<UseQueryResult, "data" | "dataUpdatedAt" | "error" | "failureReason">

/** Says that what is shown could not be brought up to date, and since when. */
export function LastKnown({ query }: { query: Known }) {
  const reason = query.error ?? query.failureReason
  if (reason === null || query.data === undefined) return null
  const time = new Date(query.dataUpdatedAt).toLocaleTimeString("en", { timeStyle: "medium" })
  return (
    <p className="pb-4 text-ink2">
      This was known at {time} and is not up to date. <Prose text={reason.message} />
    </p>
  )
}
