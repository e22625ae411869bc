import { useState } from "react"
import type { Job, Pipeline, Provider, Readiness } from "@/api/client"
import { obstaclesOf } from "@/features/create/availability"
import type { EarlierFile } from "@/features/create/media-field"
import { PipelineForm } from "@/features/create/pipeline-form"
import { PipelineTabs } from "@/features/create/pipeline-tabs"
import type { Draft } from "@/features/create/start"

interface ComposerProps {
  pipelines: readonly Pipeline[]
  chosen: Pipeline
  providers: readonly Provider[]
  readiness: Readiness
  earlier: readonly EarlierFile[]
  start: Draft
  pathOf: (type: string) => string
  onCreated: (job: Job) => void
}

/** Where jobs are made: chooses a pipeline and fills in its form. What is typed survives the change of the pipeline. */
export function Composer(props: ComposerProps) {
  const { pipelines, chosen, providers, readiness, earlier, start, pathOf, onCreated } = props
  const [draft, setDraft] = useState(start)
  return (
    <div className="space-y-5">
      <PipelineTabs chosen={chosen.type} pathOf={pathOf} pipelines={pipelines} />
      <PipelineForm
        draft={draft}
        earlier={earlier}
        key={chosen.type}
        obstacles={obstaclesOf(chosen, providers, readiness)}
        onCreated={onCreated}
        onDraft={setDraft}
        pipeline={chosen}
        providers={providers}
      />
    </div>
  )
}
