import type { ReactNode } from "react"
import { Icon } from "@/components/ui/icons"
import { words } from "@/lib/format"
import type { Kind } from "@/lib/kinds"
import { ends } from "@/lib/kinds"

const TEXT: Readonly<Record<Kind, string>> = { text: "text-text", image: "text-image", audio: "text-audio" }
const FILL: Readonly<Record<Kind, string>> = { text: "bg-text", image: "bg-image", audio: "bg-audio" }

const END = "inline-flex items-center gap-1.5 whitespace-nowrap"

/** Class names that fill something with a kind's hue; neutral for none. */
export function kindFill(kind: Kind | null): string {
  return kind === null ? "bg-ink3" : FILL[kind]
}

/** A kind of content: icon and word in its hue. */
export function KindLabel({ kind }: { kind: Kind }) {
  return (
    <span className={`inline-flex items-center gap-1.5 ${TEXT[kind]}`}>
      <Icon name={kind} size={13} />
      <span className="meta">{kind}</span>
    </span>
  )
}

/** A pipeline as what it turns into what: two swatches and their words, one above the other where it is narrow. */
export function PipelineName({ type }: { type: string }): ReactNode {
  const [from, to] = ends(type) ?? []
  if (from === undefined || to === undefined) return words(type)
  return (
    <span className="inline-flex flex-wrap gap-x-1.5 align-top">
      <span className={END}>
        <i aria-hidden="true" className={`size-2 ${FILL[from.kind]}`} />
        {from.word}
      </span>
      <span className="sr-only">to</span>
      <span className={END}>
        <Icon name="arrow" size={12} />
        <i aria-hidden="true" className={`size-2 ${FILL[to.kind]}`} />
        {to.word}
      </span>
    </span>
  )
}
