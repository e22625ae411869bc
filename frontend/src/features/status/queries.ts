import { queryOptions } from "@tanstack/react-query"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"

const WATCH_MS = 15_000
const WATCH_AWAY_MS = 2_000

/** Whether the gateway lives; asked more often while it does not answer, so that the page recovers by itself. */
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/health", { signal }))).data,
  refetchInterval: ({ state }) => (state.status === "error" ? WATCH_AWAY_MS : WATCH_MS),
  refetchIntervalInBackground: true,
  retry: false,
  staleTime: 0,
})
