import type { ReactNode } from "react"
import { Icon } from "@/components/ui/icons"
import { Prose } from "@/components/ui/prose"

interface NoticeProps {
  tone: "failed" | "waiting"
  title: string
  children?: ReactNode
}

/** Something that stands in the way: what happened, and below it what to do. */
export function Notice({ tone, title, children }: NoticeProps) {
  const edge = tone === "failed" ? "border-l-failed" : "border-l-live"
  return (
    <div className={`flex gap-3 border border-line border-l-3 bg-surface px-4 py-3 ${edge}`}>
      <span className={`pt-0.5 ${tone === "failed" ? "text-failed" : "text-live"}`}>
        <Icon name={tone === "failed" ? "cross" : "warning"} />
      </span>
      <div className="min-w-0 grow space-y-1">
        <p className="font-medium wrap-anywhere">
          <Prose text={title} />
        </p>
        {children !== undefined && <div className="space-y-1 text-ink2 wrap-anywhere">{children}</div>}
      </div>
    </div>
  )
}
