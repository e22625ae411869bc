import type { Pipeline } from "@/api/client"
import { paths } from "@/app/paths"
import { ButtonLink } from "@/components/ui/button"
import { PipelineName } from "@/components/ui/kind"
import { pipelinesTaking } from "@/features/create/start"
import type { Output } from "@/features/jobs/outputs"

/** Leads on from an output to the pipelines that take it as their input. */
export function UseLinks({ output, pipelines }: { output: Output; pipelines: readonly Pipeline[] }) {
  const takers = pipelinesTaking(output.name, pipelines)
  if (takers.length === 0) return null
  return (
    <nav
      aria-label={`Use this ${output.kind}`}
      className="flex items-baseline gap-1 border-t border-line px-4 py-1 text-small"
    >
      <span className="shrink-0 text-ink3">Use in</span>
      <div className="flex min-w-0 flex-wrap gap-x-1">
        {takers.map(({ type }) => (
          <ButtonLink key={type} look="quiet" to={paths.use(output.jobId, output.name, type)}>
            <PipelineName type={type} />
          </ButtonLink>
        ))}
      </div>
    </nav>
  )
}
