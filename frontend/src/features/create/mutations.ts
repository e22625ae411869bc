import { useMutation } from "@tanstack/react-query"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"

interface JobRequest {
  pipeline: string
  inputs: Record<string, unknown>
  options: Record<string, unknown>
}

/** Creates a job. */
export function useCreateJob() {
  return useMutation({
    mutationFn: async (body: JobRequest) => (await unwrap(api.POST("/jobs", { body }))).data,
  })
}
