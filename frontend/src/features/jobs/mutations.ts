import { useMutation, useQueryClient } from "@tanstack/react-query"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"
import { jobQueries } from "@/features/jobs/queries"

/** Cancels a job; its page and the lists follow. */
export function useCancelJob(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async () =>
      (await unwrap(api.POST("/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }))).data,
    onSuccess: (job) => client.setQueryData(jobQueries.detail(id).queryKey, job),
    onSettled: () => client.invalidateQueries({ queryKey: jobQueries.all() }),
  })
}
