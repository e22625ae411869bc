import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect, useRef } from "react"
import { Icon } from "@/components/ui/icons"
import { healthQuery } from "@/features/status/queries"

/** Says that the gateway is away while it is, and has everything asked anew when it is back. */
export function GatewayBanner() {
  const client = useQueryClient()
  const { isError, isSuccess } = useQuery(healthQuery)
  const wasAway = useRef(false)
  useEffect(() => {
    if (isError) wasAway.current = true
    if (isSuccess && wasAway.current) {
      wasAway.current = false
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== healthQuery.queryKey[0] })
    }
  }, [client, isError, isSuccess])
  return (
    <div className="sticky top-0 z-10" role="status">
      {isError && (
        <div className="flex items-center gap-3 border-b border-line bg-surface px-4 py-2.5 md:px-8">
          <span className="text-live">
            <Icon name="warning" />
          </span>
          <p>
            <strong className="font-medium">The gateway does not answer.</strong>{" "}
            <span className="text-ink2">
              What you have typed is kept, and accepted jobs go on. This page tries again every two seconds.
            </span>
          </p>
        </div>
      )}
    </div>
  )
}
