import type { Job, Pipeline } from "@/api/client"
import type { Values } from "@/lib/form-values"
import { fromJson } from "@/lib/form-values"
import { fieldsOf, kindsOf } from "@/lib/json-schema"
import { kindOfFormat } from "@/lib/kinds"

/** What a person has put in: inputs are kept from pipeline to pipeline, options belong to one. */
export interface Draft {
  inputs: Values
  options: Readonly<Record<string, Values>>
}

export const EMPTY: Draft = { inputs: {}, options: {} }

/** A draft that does the same as a job. */
export function draftLike(job: Job, pipelines: readonly Pipeline[]): Draft {
  const pipeline = pipelines.find(({ type }) => type === job.pipeline)
  if (pipeline === undefined) return EMPTY
  return {
    inputs: fromJson(fieldsOf(pipeline.inputs), job.inputs),
    options: { [pipeline.type]: fromJson(fieldsOf(pipeline.options), job.options) },
  }
}

/** A draft that takes one of a job's outputs as its input. */
export function draftWith(job: Job, output: string): Draft {
  const value = (job.outputs as Record<string, unknown>)[output]
  return typeof value === "string" ? { inputs: { [output]: value }, options: {} } : EMPTY
}

/** The pipelines that take an output of this name. */
export function pipelinesTaking(output: string, pipelines: readonly Pipeline[]): Pipeline[] {
  const kind = kindOfFormat(output)
  return pipelines.filter(({ inputs }) => kind !== null && kindsOf(inputs).includes(kind))
}
