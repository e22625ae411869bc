import { useMutation, useQueryClient } from "@tanstack/react-query"
import type { Job } from "@/api/client"
import { api } from "@/api/client"
import { unwrap } from "@/api/errors"
import type { components } from "@/api/schema"
import { Repeats } from "@/features/create/repeats"
import { useLastMutation } from "@/lib/use-last-mutation"

interface JobRequest {
  pipeline: string
  inputs: Record<string, unknown>
  options: Record<string, unknown>
}

const KEY = ["jobs", "create"]
const repeats = new Repeats()

/** Creates jobs, one at a time. What becomes of a request is known to every form, whichever sent it. */
export function useSubmission() {
  const client = useQueryClient()
  const { last, forget } = useLastMutation<Job, JobRequest>(KEY)
  const { mutate } = useMutation({
    mutationKey: KEY,
    mutationFn: async (job: JobRequest) => {
      // What has a default may be left out, which the generated type does not know.
      const body = job as components["schemas"]["JobRequest"]
      return (await unwrap(api.POST("/jobs", { body }))).data
    },
    onSettled: () => repeats.answered(performance.now()),
  })
  /** Sends a request, and tells whether it did: not while another one is on its way, and not the same one twice. */
  const submit = (body: JobRequest): boolean => {
    // Asked of the client itself: a second click may come before the first one has been shown.
    if (client.isMutating({ mutationKey: KEY }) > 0) return false
    if (repeats.has(JSON.stringify(body), performance.now())) return false
    forget()
    mutate(body)
    return true
  }
  return {
    isPending: last?.status === "pending",
    /** The job that was created last, until it is forgotten. */
    created: last?.data,
    error: last?.error ?? null,
    /** The pipeline of the last request. */
    pipeline: last?.variables?.pipeline,
    submit,
    forget,
  }
}

export type Submission = ReturnType<typeof useSubmission>
