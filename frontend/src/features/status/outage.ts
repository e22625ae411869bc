import type { QueryClient } from "@tanstack/react-query"
import { GatewayAway } from "@/api/errors"
import { healthQuery } from "@/features/status/queries"

const AGAIN_MS = 2_000

/** What the gateway does not answer is asked again until it does; a refusal is an answer. */
export const untilAnswered = {
  retry: (_failures: number, error: Error) => error instanceof GatewayAway,
  retryDelay: AGAIN_MS,
}

/** Whoever notices first that the gateway does not answer has the banner look at once. */
export function watchForOutages(client: QueryClient): void {
  const look = (error: unknown) => {
    if (error instanceof GatewayAway) void client.refetchQueries(healthQuery, { cancelRefetch: false })
  }
  client.getQueryCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "failed") look(event.action.error)
  })
  client.getMutationCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") look(event.action.error)
  })
}
