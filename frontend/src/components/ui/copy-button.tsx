import { useState } from "react"
import { Button } from "@/components/ui/button"
import { Icon } from "@/components/ui/icons"

/** Copies a text to the clipboard, also where the page is not served over HTTPS. */
export function CopyButton({
  text,
  label = "Copy",
  look,
}: {
  text: string
  label?: string
  look?: "secondary" | "quiet"
}) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle")
  const copy = async () => {
    setState((await toClipboard(text)) ? "copied" : "failed")
    window.setTimeout(() => setState("idle"), 2000)
  }
  return (
    <Button look={look ?? "secondary"} onClick={() => void copy()}>
      <Icon name={state === "copied" ? "check" : "copy"} size={14} />
      <span aria-live="polite">{{ idle: label, copied: "Copied", failed: "Select it and copy by hand" }[state]}</span>
    </Button>
  )
}

async function toClipboard(text: string): Promise<boolean> {
  // Browsers offer the clipboard only on HTTPS and localhost; a self-hosted page is often neither.
  if (!window.isSecureContext) return throughSelection(text)
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch (error) {
    if (error instanceof DOMException) return throughSelection(text)
    throw error
  }
}

function throughSelection(text: string): boolean {
  const area = document.createElement("textarea")
  area.value = text
  area.className = "fixed opacity-0"
  document.body.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
  const done = document.execCommand("copy")
  area.remove()
  return done
}
