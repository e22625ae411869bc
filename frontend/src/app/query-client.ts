import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query"
import { GatewayAway } from "@/api/errors"
import { healthQuery } from "@/features/status/queries"

/** Everything the page knows from the gateway. */
export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    // Being offline does not mean that a gateway on this machine or network is away: always ask.
    queries: { networkMode: "always", retry: false, staleTime: 1_000 },
    mutations: { networkMode: "always" },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== healthQuery.queryKey[0]) tellBanner(error)
    },
  }),
  mutationCache: new MutationCache({ onError: tellBanner }),
})

/** Whoever notices first that the gateway is away tells the banner. */
function tellBanner(error: Error): void {
  if (error instanceof GatewayAway) void queryClient.invalidateQueries(healthQuery)
}
