import { queryOptions } from "@tanstack/react-query"
import type { Readiness } from "@/api/client"
import { api } from "@/api/client"
import { errorOf, reach, unwrap } from "@/api/errors"

const WATCH_WORKERS_MS = 15_000

/** The pipelines; they change only with the gateway's version. */
export const pipelinesQuery = queryOptions({
  queryKey: ["pipelines"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/pipelines", { signal }))).data.pipelines,
  staleTime: Infinity,
})

/** The providers of every worker that answers. */
export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/providers", { signal }))).data.providers,
  refetchInterval: WATCH_WORKERS_MS,
})

/** Which workers answer. "Not all of them" is an answer like any other here. */
export const readinessQuery = queryOptions({
  queryKey: ["ready"],
  queryFn: async ({ signal }): Promise<Readiness> => {
    const { data, error, response } = await reach(api.GET("/ready", { signal }))
    const readiness = data ?? error
    if (typeof readiness === "object" && "workers" in readiness) return readiness
    throw errorOf(error, response)
  },
  refetchInterval: WATCH_WORKERS_MS,
})
