import { useState } from "react"
import { Button, IconButton } from "@/components/ui/button"
import { Icon } from "@/components/ui/icons"

const FAILED = "Select it and copy by hand"

type State = "idle" | "copied" | "failed"

/** Copies a text to the clipboard, also where the page is not served over HTTPS. */
export function CopyButton({ text }: { text: string }) {
  const [state, copy] = useCopy(text)
  return (
    <Button onClick={copy}>
      <Icon name={state === "copied" ? "check" : "copy"} size={14} />
      <span aria-live="polite">{{ idle: "Copy", copied: "Copied", failed: FAILED }[state]}</span>
    </Button>
  )
}

/** The same as a mere icon; `what` names what is copied. */
export function CopyIcon({ text, what }: { text: string; what: string }) {
  const [state, copy] = useCopy(text)
  return (
    <>
      <IconButton icon={state === "copied" ? "check" : "copy"} label={`Copy ${what}`} onClick={copy} />
      <span aria-live="polite" className={state === "failed" ? "" : "sr-only"}>
        {{ idle: "", copied: "Copied", failed: FAILED }[state]}
      </span>
    </>
  )
}

function useCopy(text: string): [State, () => void] {
  const [state, setState] = useState<State>("idle")
  const copy = async () => {
    setState((await toClipboard(text)) ? "copied" : "failed")
    window.setTimeout(() => setState("idle"), 2000)
  }
  return [state, () => void copy()]
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
