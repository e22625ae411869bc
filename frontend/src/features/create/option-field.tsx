import type { ControlProps } from "@/components/ui/labeled"
import { Labeled } from "@/components/ui/labeled"
import type { Segment } from "@/components/ui/segmented"
import { Segmented } from "@/components/ui/segmented"
import { Select } from "@/components/ui/select"
import { Slider } from "@/components/ui/slider"
import { words } from "@/lib/format"
import type { Control, Field } from "@/lib/json-schema"

const MOST_SEGMENTS = 4
const UNSET = { value: "", label: "Auto" }

interface FieldProps {
  field: Field
  id: string
  value: string
  error: string | undefined
  onChange: (value: string) => void
}

/** A field of a form, as its schema asks for it. */
export function OptionField({ field, id, value, error, onChange }: FieldProps) {
  const { control, label } = field
  const remarks = { id, label, hint: hintOf(field), error }
  const segments = segmentsOf(control)
  if (segments !== null) return <Segmented {...remarks} onChange={onChange} options={segments} value={value} />
  return (
    <Labeled {...remarks}>
      {(props) => <ControlView control={control} onChange={onChange} props={props} value={value} />}
    </Labeled>
  )
}

/** The choices of a control that has few enough to show them all, else null. */
function segmentsOf(control: Control): Segment[] | null {
  if (control.type === "flag") return [UNSET, { value: "true", label: "Yes" }, { value: "false", label: "No" }]
  if (control.type !== "choice" || control.values.length > MOST_SEGMENTS) return null
  return [UNSET, ...control.values.map((value) => ({ value, label: words(value) }))]
}

interface ControlViewProps<C extends Control = Control> {
  control: C
  value: string
  onChange: (value: string) => void
  props: ControlProps
}

function ControlView({ control, ...rest }: ControlViewProps) {
  switch (control.type) {
    case "choice":
      return <Choice control={control} {...rest} />
    case "number":
      return <NumberInput control={control} {...rest} />
    case "text":
      return control.multiline ? <Lines {...rest} /> : <Line control={control} {...rest} />
    case "json":
      return <Lines {...rest} code placeholder={control.expects === "list" ? "[]" : '{"name": "value"}'} />
    default:
      return <Lines {...rest} />
  }
}

function Choice({ control, value, onChange, props }: ControlViewProps<Extract<Control, { type: "choice" }>>) {
  return (
    <Select {...props} onChange={(event) => onChange(event.currentTarget.value)} value={value}>
      {[UNSET, ...control.values.map((choice) => ({ value: choice, label: words(choice) }))].map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </Select>
  )
}

function NumberInput({ control, value, onChange, props }: ControlViewProps<Extract<Control, { type: "number" }>>) {
  const { integer, min, max, slider } = control
  if (slider && min !== null && max !== null) {
    return <Slider max={max} min={min} onChange={onChange} props={props} step={integer ? 1 : 0.05} value={value} />
  }
  return (
    <input
      {...props}
      autoComplete="off"
      className="control"
      inputMode={integer ? "numeric" : "decimal"}
      onChange={(event) => onChange(event.currentTarget.value)}
      placeholder="Auto"
      value={value}
    />
  )
}

function Line({ control, value, onChange, props }: ControlViewProps<Extract<Control, { type: "text" }>>) {
  const { suggestions } = control
  const suggests = suggestions.length > 0
  return (
    <>
      <input
        {...props}
        autoComplete="off"
        className="control"
        list={suggests ? `${props.id}-list` : undefined}
        onChange={(event) => onChange(event.currentTarget.value)}
        placeholder={suggests ? `For example ${suggestions.join(", ")}` : "Auto"}
        value={value}
      />
      {suggests && (
        <datalist id={`${props.id}-list`}>
          {suggestions.map((suggestion) => (
            <option key={suggestion} value={suggestion} />
          ))}
        </datalist>
      )}
    </>
  )
}

interface LinesProps extends Omit<ControlViewProps, "control"> {
  code?: boolean
  placeholder?: string
}

/** A text of several lines, which grows with what is written. */
function Lines({ value, onChange, props, code = false, placeholder }: LinesProps) {
  return (
    <textarea
      {...props}
      className={`control field-sizing-content max-h-60 resize-none ${code ? "meta" : ""}`}
      onChange={(event) => onChange(event.currentTarget.value)}
      placeholder={placeholder}
      rows={3}
      spellCheck={!code}
      value={value}
    />
  )
}

function hintOf({ control, description }: Field): string {
  if (control.type === "lines") return `${description} One on each line; in quotes, \\n is a new line.`.trim()
  if (control.type === "choice") return description.replace(/`([^`]+)`/g, (_, value: string) => words(value))
  if (control.type === "json") return `${description} Written as JSON.`.trim()
  return description
}
