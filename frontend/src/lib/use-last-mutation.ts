import type { MutationKey, MutationState } from "@tanstack/react-query"
import { useMutationState, useQueryClient } from "@tanstack/react-query"

/**
 * What has become of the last command of a kind, undefined when there was none, and a way to forget it once it has ended.
 * It outlives the component that gave the command.
 */
export function useLastMutation<Data, Variables = unknown>(mutationKey: MutationKey) {
  const cache = useQueryClient().getMutationCache()
  const states = useMutationState({ filters: { mutationKey, exact: true } })
  const forget = () => {
    for (const mutation of cache.findAll({ mutationKey, exact: true })) {
      if (mutation.state.status !== "pending") cache.remove(mutation)
    }
  }
  return { last: states.at(-1) as MutationState<Data, Error, Variables> | undefined, forget }
}
