import { useMutation, useQueryClient } from "@tanstack/react-query"
import type { Job } from "@/api/client"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"
import { jobQueries } from "@/features/jobs/queries"
import { useLastMutation } from "@/lib/use-last-mutation"

/** Cancels a job; its page and the lists follow. */
export function useCancelJob(id: string) {
  const client = useQueryClient()
  const mutationKey = ["jobs", "cancel", id]
  const { last } = useLastMutation<Job>(mutationKey)
  const { mutate } = useMutation({
    mutationKey,
    mutationFn: async () =>
      (await unwrap(api.POST("/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }))).data,
    onSuccess: (job) => client.setQueryData(jobQueries.detail(id).queryKey, job),
    // Not waited for: while the gateway is away this lasts until it is back.
    onSettled: () => void client.invalidateQueries({ queryKey: jobQueries.all() }),
  })
  return { cancel: () => mutate(), isPending: last?.status === "pending", error: last?.error ?? null }
}
