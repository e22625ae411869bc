import type { ComponentProps } from "react"
import { Icon } from "@/components/ui/icons"

/** The browser's own list of choices, in the look of the other controls. */
export function Select({ className = "", ...rest }: ComponentProps<"select">) {
  return (
    <span className={`relative block min-w-0 ${className}`}>
      <select className="control appearance-none truncate pr-8" {...rest} />
      <span className="pointer-events-none absolute inset-y-0 right-2.5 grid place-items-center text-ink2">
        <Icon name="down" size={14} />
      </span>
    </span>
  )
}
