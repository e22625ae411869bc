import { ago, exact } from "@/lib/format"
import { useNow } from "@/lib/use-now"

const TICK_MS = 15_000

/** How long ago a moment was, which moves on by itself. */
export function Ago({ moment, className }: { moment: string; className?: string }) {
  const now = useNow(TICK_MS)
  return (
    <time className={className} dateTime={moment} title={exact(moment)}>
      {ago(moment, now)}
    </time>
  )
}
