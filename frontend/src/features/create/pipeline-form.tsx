import type { KeyboardEvent } from "react"
import { useEffect, useId, useRef, useState } from "react"
import type { Job, Pipeline, Provider } from "@/api/client"
import { ProblemError, byField } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import type { Obstacle } from "@/features/create/availability"
import { modelCapability } from "@/features/create/availability"
import { InputField } from "@/features/create/input-field"
import type { EarlierFiles } from "@/features/create/media-field"
import { useCreateJob } from "@/features/create/mutations"
import { OptionFields } from "@/features/create/option-fields"
import { Refusal } from "@/features/create/refusal"
import type { Draft } from "@/features/create/draft"
import { toJson } from "@/lib/form-values"
import { fieldsOf } from "@/lib/json-schema"

interface PipelineFormProps {
  pipeline: Pipeline
  providers: readonly Provider[]
  obstacles: readonly Obstacle[]
  earlier: EarlierFiles
  draft: Draft
  onDraft: (draft: Draft) => void
  onCreated: (job: Job) => void
}

/** The form of one pipeline, made from its schemas. */
export function PipelineForm(props: PipelineFormProps) {
  const { pipeline, providers, obstacles, earlier, draft, onDraft, onCreated } = props
  const [errors, setErrors] = useState<ReadonlyMap<string, string>>(new Map())
  const obstaclesId = useId()
  const form = useRef<HTMLFormElement>(null)
  const creation = useCreateJob()
  const inputs = fieldsOf(pipeline.inputs)
  const options = fieldsOf(pipeline.options)
  const values = draft.options[pipeline.type] ?? {}
  const blocked = obstacles.some(({ blocks }) => blocks)

  useEffect(() => {
    if (errors.size > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus()
  }, [errors])

  const change = (part: "inputs" | "options", name: string, value: string) => {
    if (errors.has(`${part}.${name}`)) setErrors(new Map([...errors].filter(([key]) => key !== `${part}.${name}`)))
    onDraft(
      part === "inputs"
        ? { ...draft, inputs: { ...draft.inputs, [name]: value } }
        : { ...draft, options: { ...draft.options, [pipeline.type]: { ...values, [name]: value } } },
    )
  }
  const submit = () => {
    if (blocked || creation.isPending) return
    const given = toJson(inputs, draft.inputs)
    const chosen = toJson(options, values)
    const wrong = new Map([...prefixed("inputs", given.errors), ...prefixed("options", chosen.errors)])
    setErrors(wrong)
    if (wrong.size > 0) return
    creation.mutate(
      { pipeline: pipeline.type, inputs: given.json, options: chosen.json },
      {
        onSuccess: onCreated,
        onError: (error) => error instanceof ProblemError && setErrors(byField(error.problem, known).fields),
      },
    )
  }
  const known = new Set([
    ...inputs.map(({ name }) => `inputs.${name}`),
    ...options.map(({ name }) => `options.${name}`),
  ])
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    submit()
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the shortcut works from each of its fields
    <form
      aria-label="New job"
      className="space-y-5"
      noValidate
      onKeyDown={submitByKey}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
      ref={form}
    >
      {obstacles.length > 0 && (
        <div className="space-y-3" id={obstaclesId}>
          {obstacles.map((obstacle) => (
            <Notice key={obstacle.title} title={obstacle.title} tone={obstacle.blocks ? "failed" : "waiting"}>
              {obstacle.todo.map((line) => (
                <p key={line}>{line}</p>
              ))}
            </Notice>
          ))}
        </div>
      )}
      {inputs.map((field) => (
        <InputField
          earlier={earlier}
          error={errors.get(`inputs.${field.name}`)}
          field={field}
          key={field.name}
          onChange={(value) => change("inputs", field.name, value)}
          pipeline={pipeline.type}
          value={draft.inputs[field.name] ?? ""}
        />
      ))}
      <OptionFields
        errors={errors}
        fields={options}
        onChange={(name, value) => change("options", name, value)}
        providers={providers.filter(({ capability }) => capability === modelCapability(pipeline))}
        values={values}
      />
      <Refusal error={creation.error} known={known} />
      <div className="flex items-center gap-4 thumb:sticky thumb:bottom-0 thumb:-mx-4 thumb:border-t thumb:border-line thumb:bg-surface thumb:px-4 thumb:py-3">
        <Button
          aria-describedby={blocked ? obstaclesId : undefined}
          className="shrink-0 max-md:w-full"
          inactive={blocked || creation.isPending}
          look="primary"
          type="submit"
        >
          {creation.isPending ? "Sending…" : "Run"}
          <kbd aria-hidden="true" className="meta hidden whitespace-nowrap opacity-80 md:inline pointer-coarse:hidden">
            Ctrl ⏎
          </kbd>
        </Button>
        <p className="text-small text-ink3 max-md:hidden">{pipeline.description}</p>
      </div>
    </form>
  )
}

function prefixed(part: string, errors: ReadonlyMap<string, string>): [string, string][] {
  return [...errors].map(([name, message]) => [`${part}.${name}`, message])
}
