import { useQuery } from "@tanstack/react-query"
import { GatewayAway } from "@/api/errors"
import { Icon } from "@/components/ui/icons"
import { healthQuery } from "@/features/status/queries"

/** Says that the gateway is away while it is. */
export function GatewayBanner() {
  const { failureReason } = useQuery(healthQuery)
  return (
    <div className="sticky top-0 z-10" role="status">
      {failureReason instanceof GatewayAway && (
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
