import type { JobStatus } from "@/api/client"
import type { IconName } from "@/components/ui/icons"
import { Icon } from "@/components/ui/icons"

const LOOKS: Readonly<Record<JobStatus, { icon: IconName; className: string }>> = {
  queued: { icon: "circle", className: "text-ink2" },
  running: { icon: "circle", className: "text-live" },
  completed: { icon: "check", className: "text-ink" },
  failed: { icon: "cross", className: "text-failed" },
  canceled: { icon: "slash", className: "text-ink3" },
}

/** A job's status: icon and word. */
export function StatusBadge({ status }: { status: JobStatus }) {
  const { icon, className } = LOOKS[status]
  return (
    <span className={`inline-flex items-center gap-1.5 align-top whitespace-nowrap ${className}`}>
      <span className={status === "running" ? "breathe" : ""}>
        <Icon name={icon} size={14} />
      </span>
      {status}
    </span>
  )
}
