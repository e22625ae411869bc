import { QueryClient } from "@tanstack/react-query"
import { untilAnswered, watchForOutages } from "@/features/status/outage"

/** Everything the page knows from the gateway. */
export const queryClient = new QueryClient({
  defaultOptions: {
    // Being offline does not mean that a gateway on this machine or network is away: always ask.
    queries: { networkMode: "always", staleTime: 1_000, ...untilAnswered },
    mutations: { networkMode: "always" },
  },
})

watchForOutages(queryClient)
