import type { InfiniteData } from "@tanstack/react-query"
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query"
import type { Job } from "@/api/client"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"
import type { JobPage } from "@/features/jobs/paging"
import { grown, isSettled, nextCursor } from "@/features/jobs/paging"
import { between } from "@/lib/format"
import { isJobId } from "@/lib/job-id"
import { isTerminal, nextListLook, nextLook } from "@/lib/polling"

const PAGE_SIZE = 30
const RECENT = 24

function watch(jobs: readonly Job[] | undefined): number | false {
  return jobs !== undefined && nextListLook(jobs.map(({ status }) => status))
}

export const jobQueries = {
  all: () => ["jobs"] as const,

  /** One job, watched until it has ended; what can be no job's id is not asked for. */
  detail: (id: string) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "one", id],
      queryFn: async ({ signal }) => {
        const path = { job_id: id }
        return (await unwrap(api.GET("/jobs/{job_id}", { params: { path }, signal }))).data
      },
      enabled: isJobId(id),
      staleTime: ({ state: { data } }) => (data !== undefined && isTerminal(data.status) ? Infinity : 0),
      refetchInterval: ({ state: { data } }) =>
        data !== undefined && nextLook(data.status, between(data.metadata.created_at, null)),
    }),

  /** The newest jobs, in one page. */
  recent: () =>
    queryOptions({
      queryKey: [...jobQueries.all(), "recent"],
      queryFn: async ({ signal }) =>
        (await unwrap(api.GET("/jobs", { params: { query: { limit: RECENT } }, signal }))).data,
      refetchInterval: ({ state }) => watch(state.data),
    }),

  /** All jobs, newest first, page by page; of the pages that are known, only what can change is fetched again. */
  list: () =>
    infiniteQueryOptions({
      queryKey: [...jobQueries.all(), "list"],
      queryFn: async ({ client, queryKey, pageParam, signal }): Promise<JobPage> => {
        const list = client.getQueryData<InfiniteData<JobPage, string | null>>(queryKey)
        const known = list?.pages[list.pageParams.indexOf(pageParam)]
        if (pageParam !== null && known !== undefined && isSettled(known)) return known
        const query = pageParam === null ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor: pageParam }
        const { data, response } = await unwrap(api.GET("/jobs", { params: { query }, signal }))
        const fresh = { jobs: data, next: nextCursor(response.headers.get("Link")) }
        const hasMore = list !== undefined && list.pages.length > 1
        return pageParam === null && hasMore && known !== undefined ? grown(known, fresh) : fresh
      },
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.next,
      refetchInterval: ({ state }) => watch(state.data?.pages.flatMap((page) => page.jobs)),
    }),
}
