import { queryOptions } from "@tanstack/react-query"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"

const WATCH_MS = 15_000

/** Whether the gateway lives. */
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/health", { signal }))).data,
  refetchInterval: WATCH_MS,
})
