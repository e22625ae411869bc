import type { Job, Pipeline } from "@/api/client"
import type { Draft } from "@/features/create/draft"
import { fromJson } from "@/lib/form-values"
import { fieldsOf, kindsOf } from "@/lib/json-schema"
import { kindOfFormat } from "@/lib/kinds"

/** A draft that does the same as a job; what it holds for other pipelines stays. */
export function draftLike(draft: Draft, job: Job, pipelines: readonly Pipeline[]): Draft {
  const pipeline = pipelines.find(({ type }) => type === job.pipeline)
  if (pipeline === undefined) return draft
  return {
    pipeline: pipeline.type,
    inputs: { ...draft.inputs, ...fromJson(fieldsOf(pipeline.inputs), job.inputs) },
    options: { ...draft.options, [pipeline.type]: fromJson(fieldsOf(pipeline.options), job.options) },
  }
}

/** A draft that takes one of a job's outputs as its input, null while the job has no such output. */
export function draftWith(draft: Draft, job: Job, output: string): Draft | null {
  const value = (job.outputs as Record<string, unknown>)[output]
  return typeof value === "string" ? { ...draft, inputs: { ...draft.inputs, [output]: value } } : null
}

/** The pipelines that take an output of this name. */
export function pipelinesTaking(output: string, pipelines: readonly Pipeline[]): Pipeline[] {
  const kind = kindOfFormat(output)
  return pipelines.filter(({ inputs }) => kind !== null && kindsOf(inputs).includes(kind))
}
