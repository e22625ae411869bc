import type { Pipeline, Provider, Readiness } from "@/api/client"
import { words } from "@/lib/format"

/** Something that a person should know before running a pipeline. */
export interface Obstacle {
  /** Whether jobs would be refused; otherwise they are accepted, and wait or go on with less. */
  blocks: boolean
  title: string
  todo: string[]
}

/** What stands in the way of a pipeline's jobs, for each capability once; what blocks them first. */
export function obstaclesOf(pipeline: Pipeline, providers: readonly Provider[], readiness: Readiness): Obstacle[] {
  const seen = new Set<string>()
  const found = pipeline.steps.flatMap((step): Obstacle[] => {
    if (seen.has(step.capability)) return []
    seen.add(step.capability)
    const offered = providers.filter(({ capability }) => capability === step.capability)
    const worker = readiness.workers.find(({ capability }) => capability === step.capability)
    if (worker !== undefined && !worker.ready) {
      return [
        {
          blocks: false,
          title: `The ${worker.worker} worker does not answer.`,
          todo: [worker.reason ?? "", "Jobs are accepted and wait until it does."].filter(Boolean),
        },
      ]
    }
    if (offered.length === 0 || offered.some(({ configured }) => configured)) return []
    const optional = step.on_error === "continue"
    const missing = offered.map(({ name, missing }) => `${name}: ${missing}`)
    return [
      {
        blocks: !optional,
        title: optional
          ? `No provider can do the step “${step.name}”; jobs go on without it.`
          : `No provider of “${words(step.capability).toLowerCase()}” is set up, so this cannot run yet.`,
        todo: [...missing, "Set one of these where the server runs and restart it; this page notices by itself."],
      },
    ]
  })
  return found.sort((one, other) => Number(other.blocks) - Number(one.blocks))
}

/** The capability that `options.model` chooses the model of: that of the step which makes the result. */
export function modelCapability(pipeline: Pipeline): string {
  return pipeline.steps.at(-1)?.capability ?? ""
}
