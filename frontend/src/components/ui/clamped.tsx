import { useId, useLayoutEffect, useRef, useState } from "react"

/** A text of which only the first lines are shown where it is long, until all of it is asked for. */
export function Clamped({ text }: { text: string }) {
  const id = useId()
  const shown = useRef<HTMLParagraphElement>(null)
  const [isLong, setLong] = useState(false)
  const [open, setOpen] = useState(false)
  useLayoutEffect(() => {
    const element = shown.current
    if (element === null || open) return
    const watch = new ResizeObserver(() => setLong(element.scrollHeight > element.clientHeight))
    watch.observe(element)
    return () => watch.disconnect()
  }, [text, open])
  return (
    <>
      <p className={`whitespace-pre-wrap wrap-anywhere ${open ? "" : "line-clamp-6"}`} id={id} ref={shown}>
        {text}
      </p>
      {isLong && (
        <button
          aria-controls={id}
          aria-expanded={open}
          className="min-h-6 text-small text-ink2 underline underline-offset-3 hover:text-ink pointer-coarse:min-h-11"
          onClick={() => setOpen(!open)}
          type="button"
        >
          {open ? "Show less" : "Show all"}
        </button>
      )}
    </>
  )
}
