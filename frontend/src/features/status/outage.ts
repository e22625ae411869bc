import type { Query, QueryClient } from "@tanstack/react-query"
import { hashKey } from "@tanstack/react-query"
import { GatewayAway, isPassing } from "@/api/errors"
import { healthQuery } from "@/features/status/queries"

const AGAIN_MS = 2_000
const SHORTEST_MS = 1_000
const LONGEST_MS = 3_600_000

/** What is not answered, or with "not now", is asked again until it is; a refusal is an answer. */
export const untilAnswered = {
  retry: (_failures: number, error: Error) => isPassing(error),
  retryDelay: (_failures: number, error: Error) => {
    const wanted = isPassing(error) ? error.retryAfterMs : null
    return wanted === null ? AGAIN_MS : Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wanted))
  },
}

/**
 * Whoever notices first that the gateway does not answer has the banner look at once. When an outage that it has shown is
 * over, what was said of single commands that were lost in it is forgotten, and what is shown is brought up to date.
 */
export function watchForOutages(client: QueryClient): void {
  const look = (error: unknown) => {
    if (error instanceof GatewayAway) void client.refetchQueries(healthQuery, { cancelRefetch: false })
  }
  const isHealth = ({ queryHash }: Pick<Query, "queryHash">) => queryHash === hashKey(healthQuery.queryKey)
  let away = false
  client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated") return
    const { action, query } = event
    if (action.type === "failed") look(action.error)
    if (!isHealth(query)) return
    if (action.type === "failed" && action.error instanceof GatewayAway) away = true
    if (action.type !== "success" || !away) return
    away = false
    forgetLost(client)
    void client.invalidateQueries({ predicate: (query) => !isHealth(query) })
  })
  client.getMutationCache().subscribe((event) => {
    if (event.type === "updated" && event.action.type === "error") look(event.action.error)
  })
}

function forgetLost(client: QueryClient): void {
  const cache = client.getMutationCache()
  for (const mutation of cache.getAll()) if (mutation.state.error instanceof GatewayAway) cache.remove(mutation)
}
