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
      className="flex flex-wrap items-center gap-x-1 border-t border-line px-3 py-1 text-small"
    >
      <span className="pr-1 text-ink3">Use in</span>
      {takers.map(({ type }) => (
        <ButtonLink key={type} look="quiet" to={paths.use(output.jobId, output.name, type)}>
          <PipelineName type={type} />
        </ButtonLink>
      ))}
    </nav>
  )
}
