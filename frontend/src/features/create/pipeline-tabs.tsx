import { Link } from "react-router"
import type { Pipeline } from "@/api/client"
import { PipelineName } from "@/components/ui/kind"

interface PipelineTabsProps {
  pipelines: readonly Pipeline[]
  chosen: string
  pathOf: (type: string) => string
}

/** All pipelines, as links: which one is chosen stands in the URL. */
export function PipelineTabs({ pipelines, chosen, pathOf }: PipelineTabsProps) {
  return (
    <nav aria-label="Pipelines">
      <ul className="grid grid-cols-2 gap-1.5 md:flex md:flex-wrap md:gap-x-6 md:gap-y-0 md:border-b md:border-line">
        {pipelines.map(({ type }) => (
          <li key={type}>
            <Link
              aria-current={type === chosen ? "page" : undefined}
              className="flex h-11 items-center rounded-control border border-line px-3 text-ink2 hover:text-ink aria-[current]:border-ink aria-[current]:font-medium aria-[current]:text-ink md:h-10 md:rounded-none md:border-0 md:border-b-2 md:border-transparent md:px-0"
              preventScrollReset
              replace
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
