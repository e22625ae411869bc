import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { send } from "@/api/client"
import { errorOf, isPassing } from "@/api/errors"

/**
 * Whether the store has a file.
 *
 * @throws GatewayAway or ProblemError when that cannot be told now
 */
export async function hasFile(path: string, signal: AbortSignal): Promise<boolean> {
  const response = await send(new Request(path, { method: "HEAD", signal }))
  if (response.ok) return true
  const error = errorOf(undefined, response)
  if (isPassing(error)) throw error
  return false
}

/** How often a file that is there may fail before it counts as damaged: at first its request may have been lost. */
const TRIES = 3

type State = "shown" | "checking" | "lost" | "broken"

/**
 * A file that an element of the page fetches by itself, and what has become of it.
 *
 * An element that fails does not say why. So the gateway is asked, again and again until it answers: what is missing or
 * damaged stays so, what merely could not be fetched is then fetched once more.
 */
export function useFile(path: string) {
  const [failures, setFailures] = useState(0)
  const client = useQueryClient()
  const queryKey = ["file", path, failures]
  const { data, failureReason } = useQuery({
    queryKey,
    queryFn: ({ signal }) => hasFile(path, signal),
    enabled: failures > 0,
    staleTime: Infinity,
    gcTime: 0,
  })
  const asking: State = failureReason === null ? "checking" : "lost"
  const found: State = data === true && failures < TRIES ? "shown" : "broken"
  const state = failures === 0 ? "shown" : data === undefined ? asking : found
  return {
    state,
    /** Changes when the element is to fetch the file anew. */
    attempt: failures,
    onError: () => setFailures((before) => before + 1),
    onRetry: () => (state === "broken" ? setFailures(0) : void client.resetQueries({ queryKey })),
  }
}
