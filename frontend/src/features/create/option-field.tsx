import type { ControlProps } from "@/components/ui/labeled"
import { Labeled } from "@/components/ui/labeled"
import { Segmented } from "@/components/ui/segmented"
import { Select } from "@/components/ui/select"
import { Slider } from "@/components/ui/slider"
import { words } from "@/lib/format"
import type { Field } from "@/lib/json-schema"

const MOST_SEGMENTS = 4

interface FieldProps {
  field: Field
  id: string
  value: string
  error: string | undefined
  onChange: (value: string) => void
}

/** A field of a form, as its schema asks for it. */
export function OptionField({ field, id, value, error, onChange }: FieldProps) {
  const { control, label, description } = field
  if (control.type === "choice" && control.values.length <= MOST_SEGMENTS) {
    const options = ["", ...control.values].map((choice) => ({ value: choice, label: words(choice) || "Auto" }))
    return (
      <Segmented
        error={error}
        hint={description}
        label={label}
        name={id}
        onChange={onChange}
        options={options}
        value={value}
      />
    )
  }
  if (control.type === "flag") {
    const options = [
      { value: "", label: "Default" },
      { value: "true", label: "Yes" },
      { value: "false", label: "No" },
    ]
    return (
      <Segmented
        error={error}
        hint={description}
        label={label}
        name={id}
        onChange={onChange}
        options={options}
        value={value}
      />
    )
  }
  return (
    <Labeled error={error} hint={hintOf(field)} id={id} label={label}>
      {(props) => <Control field={field} onChange={onChange} props={props} value={value} />}
    </Labeled>
  )
}

interface ControlViewProps {
  field: Field
  value: string
  onChange: (value: string) => void
  props: ControlProps
}

function Control({ field: { control }, value, onChange, props }: ControlViewProps) {
  const common = { ...props, value, className: "control" }
  switch (control.type) {
    case "choice":
      return (
        <Select {...props} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">Auto</option>
          {control.values.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </Select>
      )
    case "number":
      if (control.slider && control.min !== null && control.max !== null) {
        const step = control.integer ? 1 : 0.05
        return (
          <Slider max={control.max} min={control.min} onChange={onChange} props={props} step={step} value={value} />
        )
      }
      return (
        <input
          {...common}
          autoComplete="off"
          inputMode={control.integer ? "numeric" : "decimal"}
          onChange={(event) => onChange(event.currentTarget.value)}
          placeholder="Auto"
        />
      )
    case "text":
      if (!control.multiline) {
        return (
          <>
            <input
              {...common}
              autoComplete="off"
              list={control.suggestions.length > 0 ? `${props.id}-list` : undefined}
              maxLength={control.maxLength ?? undefined}
              onChange={(event) => onChange(event.currentTarget.value)}
              placeholder={control.suggestions.length > 0 ? `For example ${control.suggestions.join(", ")}` : "Auto"}
            />
            {control.suggestions.length > 0 && (
              <datalist id={`${props.id}-list`}>
                {control.suggestions.map((suggestion) => (
                  <option key={suggestion} value={suggestion} />
                ))}
              </datalist>
            )}
          </>
        )
      }
      return (
        <textarea
          {...common}
          className="control field-sizing-content max-h-60 resize-none"
          onChange={(event) => onChange(event.currentTarget.value)}
          rows={1}
        />
      )
    default:
      return (
        <textarea
          {...common}
          className={`control ${control.type === "json" ? "meta" : ""}`}
          onChange={(event) => onChange(event.currentTarget.value)}
          placeholder={control.type === "json" ? "{ }" : undefined}
          rows={3}
          spellCheck={false}
        />
      )
  }
}

function hintOf({ control, description }: Field): string {
  if (control.type === "lines") return `${description} One a line.`.trim()
  if (control.type === "json") return `${description} As a JSON object.`.trim()
  return description
}
