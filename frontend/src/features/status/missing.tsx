import { useQueryClient } from "@tanstack/react-query"
import { GatewayAway, ProblemError, isPassing } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import { Loading } from "@/components/ui/page"

interface MissingProps {
  /** What is missing, as the sentences name it: "the jobs". */
  what: string
  /** Why it did not arrive; null while it is on its way. */
  reason: Error | null
}

/** Stands where something will be shown: while it is fetched, and why it cannot be, with what to do about it. */
export function Missing({ what, reason }: MissingProps) {
  const client = useQueryClient()
  if (reason === null) return <Loading className="h-96" label={`Loading ${what}`} />
  const away = reason instanceof GatewayAway
  return (
    <Notice
      title={away ? `The gateway did not answer, so ${what} cannot be shown yet.` : reason.message}
      tone={isPassing(reason) ? "waiting" : "failed"}
    >
      {isPassing(reason) && <p>This page asks again by itself.</p>}
      {reason instanceof ProblemError && reason.problem.hint !== "" && <p>{reason.problem.hint}</p>}
      <Button onClick={() => void client.resetQueries({ predicate: ({ state }) => state.data === undefined })}>
        Try again
      </Button>
    </Notice>
  )
}
