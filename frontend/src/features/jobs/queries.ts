import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query"
import type { Job } from "@/api/client"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"
import { nextCursor } from "@/features/jobs/paging"
import { between } from "@/lib/format"
import { isTerminal, nextLook } from "@/lib/polling"

const PAGE_SIZE = 30
const RECENT = 24
const WATCH_LIST_MS = 2_000

function watchWhileAnyRuns(jobs: readonly Job[] | undefined): number | false {
  return jobs?.some((job) => !isTerminal(job.status)) ? WATCH_LIST_MS : false
}

export const jobQueries = {
  all: () => ["jobs"] as const,

  /** One job, watched until it has ended. */
  detail: (id: string) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "one", id],
      queryFn: async ({ signal }) => {
        const path = { job_id: id }
        return (await unwrap(api.GET("/jobs/{job_id}", { params: { path }, signal }))).data
      },
      refetchInterval: ({ state: { data, errorUpdateCount, error } }) =>
        data !== undefined &&
        nextLook(data.status, between(data.metadata.created_at, null), error === null ? 0 : errorUpdateCount),
    }),

  /** The newest jobs, in one page. */
  recent: () =>
    queryOptions({
      queryKey: [...jobQueries.all(), "recent"],
      queryFn: async ({ signal }) =>
        (await unwrap(api.GET("/jobs", { params: { query: { limit: RECENT } }, signal }))).data,
      refetchInterval: ({ state }) => watchWhileAnyRuns(state.data),
    }),

  /** All jobs, newest first, page by page. */
  list: () =>
    infiniteQueryOptions({
      queryKey: [...jobQueries.all(), "list"],
      queryFn: async ({ signal, pageParam }) => {
        const query = pageParam === null ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor: pageParam }
        const { data, response } = await unwrap(api.GET("/jobs", { params: { query }, signal }))
        return { jobs: data, next: nextCursor(response.headers.get("Link")) }
      },
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.next,
      refetchInterval: ({ state }) => watchWhileAnyRuns(state.data?.pages.flatMap((page) => page.jobs)),
    }),
}
