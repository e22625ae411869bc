import type { ReactNode } from "react"
import { Fragment } from "react"
import { Button } from "@/components/ui/button"

interface FileFrameProps {
  file: { state: "shown" | "checking" | "lost" | "broken"; attempt: number; onRetry: () => void }
  /** What is said where the file is missing or damaged. */
  broken: ReactNode
  /** The element that shows the file. */
  children: ReactNode
}

/** A file that an element fetches by itself; where it cannot be shown, why, and a way to try again. */
export function FileFrame({ file: { state, attempt, onRetry }, broken, children }: FileFrameProps) {
  if (state === "shown") return <Fragment key={attempt}>{children}</Fragment>
  return (
    <div className="space-y-2 py-1 text-ink2" role="status">
      {state === "broken" ? broken : <p>{state === "lost" ? LOST : "Fetching the file once more…"}</p>}
      {state !== "checking" && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}

const LOST = "The file could not be fetched. This page tries again by itself when the gateway answers."
