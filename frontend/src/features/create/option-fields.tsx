import { useState } from "react"
import type { Provider } from "@/api/client"
import { ModelField } from "@/features/create/model-field"
import { OptionField } from "@/features/create/option-field"
import type { Values } from "@/lib/form-values"
import type { Field } from "@/lib/json-schema"

/** Options that most people want, in this order; all others stand under "More options". */
const FIRST = [
  "model",
  "voice",
  "style",
  "aspect_ratio",
  "quality",
  "language",
  "speed",
  "strength",
  "system",
  "prompt",
  "negative_prompt",
  "seed",
]

interface OptionFieldsProps {
  fields: readonly Field[]
  values: Values
  errors: ReadonlyMap<string, string>
  providers: readonly Provider[]
  onChange: (name: string, value: string) => void
}

/** The options of a pipeline. */
export function OptionFields({ fields, values, errors, providers, onChange }: OptionFieldsProps) {
  const [open, setOpen] = useState(false)
  const first = FIRST.flatMap((name) => fields.filter((field) => field.name === name))
  const rest = fields.filter(({ name }) => !FIRST.includes(name))
  const wrong = rest.some(({ name }) => errors.has(`options.${name}`))
  const used = rest.filter(({ name }) => (values[name] ?? "") !== "").length
  const render = (field: Field) => {
    const common = {
      id: `options-${field.name}`,
      value: values[field.name] ?? "",
      error: errors.get(`options.${field.name}`),
      onChange: (value: string) => onChange(field.name, value),
    }
    if (field.name === "model") return <ModelField key={field.name} {...common} providers={providers} />
    return <OptionField key={field.name} field={field} {...common} />
  }
  const grid = "grid items-start gap-x-5 gap-y-4 sm:grid-cols-2 xl:grid-cols-3"
  return (
    <div className="space-y-4">
      <div className={grid}>{first.map(render)}</div>
      {rest.length > 0 && (
        <details onToggle={(event) => setOpen(event.currentTarget.open)} open={open || wrong}>
          <summary className="w-max py-1 text-small font-medium text-ink2 hover:text-ink">
            More options{used > 0 && ` (${used} set)`}
          </summary>
          <div className={`pt-3 ${grid}`}>{rest.map(render)}</div>
        </details>
      )}
    </div>
  )
}
