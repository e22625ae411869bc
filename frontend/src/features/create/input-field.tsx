import { EXAMPLES } from "@/features/create/examples"
import type { Earlier } from "@/features/create/media-field"
import { MediaField } from "@/features/create/media-field"
import { OptionField } from "@/features/create/option-field"
import { PromptField } from "@/features/create/prompt-field"
import type { Field } from "@/lib/json-schema"

interface InputFieldProps {
  field: Field
  pipeline: string
  value: string
  error: string | undefined
  earlier: Earlier
  onChange: (value: string) => void
}

/** An input of a pipeline: a text, or a file. */
export function InputField({ field, pipeline, value, error, earlier, onChange }: InputFieldProps) {
  const { control, label, description } = field
  const common = { id: `inputs-${field.name}`, label, hint: description, value, error, onChange }
  switch (control.type) {
    case "media":
      return <MediaField {...common} earlier={earlier} kind={control.kind} />
    case "text":
      return <PromptField {...common} examples={EXAMPLES[pipeline] ?? []} maxLength={control.maxLength} />
    default:
      return <OptionField error={error} field={field} id={common.id} onChange={onChange} value={value} />
  }
}
