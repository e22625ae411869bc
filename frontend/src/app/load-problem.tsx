import { GatewayAway, ProblemError } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"

/** Why something cannot be shown, and what to do about it. */
export function LoadProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof GatewayAway) {
    return (
      <Notice title="This cannot be shown while the gateway does not answer." tone="waiting">
        <p>It appears by itself when the gateway is back.</p>
      </Notice>
    )
  }
  return (
    <Notice title={error.message} tone="failed">
      {error instanceof ProblemError && error.problem.hint !== "" && <p>{error.problem.hint}</p>}
      <Button onClick={onRetry}>Try again</Button>
    </Notice>
  )
}
