import { useEffect, useEffectEvent } from "react"
import type { Job, Pipeline, Provider, Readiness } from "@/api/client"
import { obstaclesOf } from "@/features/create/availability"
import { keepDraft, useDraft } from "@/features/create/draft"
import type { Earlier } from "@/features/create/media-field"
import { PipelineForm } from "@/features/create/pipeline-form"
import { PipelineTabs } from "@/features/create/pipeline-tabs"
import { useSubmission } from "@/features/create/submission"

interface ComposerProps {
  pipelines: readonly Pipeline[]
  chosen: Pipeline
  providers: readonly Provider[]
  readiness: Readiness
  earlier: Earlier
  pathOf: (type: string) => string
  onCreated: (job: Job) => void
}

/** Where jobs are made: chooses a pipeline and fills in its form. */
export function Composer({ pipelines, chosen, providers, readiness, earlier, pathOf, onCreated }: ComposerProps) {
  const draft = useDraft()
  const submission = useSubmission()
  const { created } = submission
  const show = useEffectEvent((job: Job) => {
    submission.forget()
    onCreated(job)
  })
  useEffect(() => {
    if (created !== undefined) show(created)
  }, [created])
  const leave = useEffectEvent(submission.forget)
  useEffect(() => () => leave(), [])
  return (
    <div className="space-y-5">
      <PipelineTabs chosen={chosen.type} onChoose={submission.forget} pathOf={pathOf} pipelines={pipelines} />
      <PipelineForm
        draft={draft}
        earlier={earlier}
        key={chosen.type}
        obstacles={obstaclesOf(chosen, providers, readiness)}
        onDraft={(changed) => keepDraft({ ...changed, pipeline: chosen.type })}
        pipeline={chosen}
        providers={providers}
        submission={submission}
      />
    </div>
  )
}
