import type { KeyboardEvent } from "react"
import { useId, useRef } from "react"
import type { Pipeline, Provider } from "@/api/client"
import { Button } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import type { Obstacle } from "@/features/create/availability"
import { modelCapability } from "@/features/create/availability"
import { InputField } from "@/features/create/input-field"
import type { Earlier } from "@/features/create/media-field"
import { OptionFields } from "@/features/create/option-fields"
import { Refusal } from "@/features/create/refusal"
import type { Submission } from "@/features/create/submission"
import type { Draft } from "@/features/create/draft"
import { useFieldErrors } from "@/features/create/use-field-errors"
import { toJson } from "@/lib/form-values"
import { fieldsOf } from "@/lib/json-schema"

interface PipelineFormProps {
  pipeline: Pipeline
  providers: readonly Provider[]
  obstacles: readonly Obstacle[]
  earlier: Earlier
  draft: Draft
  onDraft: (draft: Draft) => void
  submission: Submission
}

/** The form of one pipeline, made from its schemas. */
export function PipelineForm(props: PipelineFormProps) {
  const { pipeline, providers, obstacles, earlier, draft, onDraft, submission } = props
  const obstaclesId = useId()
  const form = useRef<HTMLFormElement>(null)
  const inputs = fieldsOf(pipeline.inputs)
  const options = fieldsOf(pipeline.options)
  const values = draft.options[pipeline.type] ?? {}
  const blocked = obstacles.some(({ blocks }) => blocks)
  const known = new Set([
    ...inputs.map(({ name }) => `inputs.${name}`),
    ...options.map(({ name }) => `options.${name}`),
  ])
  const { errors, find, change: changed } = useFieldErrors(form, submission, pipeline.type, known)

  const change = (part: "inputs" | "options", name: string, value: string) => {
    changed(`${part}.${name}`)
    onDraft(
      part === "inputs"
        ? { ...draft, inputs: { ...draft.inputs, [name]: value } }
        : { ...draft, options: { ...draft.options, [pipeline.type]: { ...values, [name]: value } } },
    )
  }
  const submit = () => {
    if (blocked || submission.isPending) return
    const given = toJson(inputs, draft.inputs)
    const chosen = toJson(options, values)
    const wrong = new Map([...prefixed("inputs", given.errors), ...prefixed("options", chosen.errors)])
    if (wrong.size > 0) submission.forget()
    else if (!submission.submit({ pipeline: pipeline.type, inputs: given.json, options: chosen.json })) return
    find(wrong)
  }
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return
    const isShortcut = event.ctrlKey || event.metaKey
    // A key that is held down sends nothing again; in a text it goes on writing lines.
    const isHeld = event.repeat && !(event.target instanceof HTMLTextAreaElement)
    if (isShortcut || isHeld) event.preventDefault()
    if (isShortcut && !event.repeat) submit()
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
      <Refusal known={known} pipeline={pipeline.type} submission={submission} />
      <div className="flex items-center gap-4 thumb:sticky thumb:bottom-0 thumb:-mx-4 thumb:border-t thumb:border-line thumb:bg-surface thumb:px-4 thumb:py-3">
        <Button
          aria-describedby={blocked ? obstaclesId : undefined}
          className="shrink-0 max-md:w-full"
          inactive={blocked || submission.isPending}
          look="primary"
          type="submit"
        >
          {submission.isPending ? "Sending…" : "Run"}
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
