import { Link } from "react-router"
import type { Pipeline } from "@/api/client"
import { PipelineName } from "@/components/ui/kind"

interface PipelineTabsProps {
  pipelines: readonly Pipeline[]
  chosen: string
  pathOf: (type: string) => string
  onChoose: () => void
}

/** All pipelines, as links: which one is chosen stands in the URL. Tiles, or tabs where they fit on one line. */
export function PipelineTabs({ pipelines, chosen, pathOf, onChoose }: PipelineTabsProps) {
  return (
    <nav aria-label="Pipelines">
      <ul className="grid grid-cols-3 gap-1.5 xl:flex xl:gap-6 xl:border-b xl:border-line">
        {pipelines.map(({ type }) => (
          <li key={type}>
            <Link
              aria-current={type === chosen ? "page" : undefined}
              className="flex h-full min-h-9 items-center rounded-control border border-line px-2 py-1.5 text-ink2 hover:text-ink aria-[current]:border-ink aria-[current]:font-medium aria-[current]:text-ink max-sm:*:flex-col sm:px-3 xl:-mb-px xl:h-10 xl:rounded-none xl:border-0 xl:border-b-2 xl:border-transparent xl:px-0 pointer-coarse:min-h-11"
              onClick={onChoose}
              preventScrollReset
              to={pathOf(type)}
            >
              <PipelineName type={type} />
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
