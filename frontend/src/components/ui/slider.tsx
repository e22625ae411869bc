import { Icon } from "@/components/ui/icons"
import type { ControlProps } from "@/components/ui/labeled"

interface SliderProps {
  props: ControlProps
  value: string
  min: number
  max: number
  step: number
  onChange: (value: string) => void
}

/** A number on a scale, which may also be left out; that is where it starts. */
export function Slider({ props, value, min, max, step, onChange }: SliderProps) {
  const unset = value === ""
  return (
    <div className="flex min-h-9 items-center gap-3">
      <input
        {...props}
        aria-valuetext={unset ? "Auto" : value}
        className={`h-6 min-w-0 grow ${unset ? "opacity-50" : ""}`}
        max={max}
        min={min}
        onChange={(event) => onChange(event.currentTarget.value)}
        step={step}
        type="range"
        value={unset ? (min + max) / 2 : value}
      />
      <output className="meta w-8 text-right" htmlFor={props.id}>
        {unset ? "Auto" : value}
      </output>
      <button
        aria-label="Back to auto"
        className={`grid size-6 place-items-center text-ink2 hover:text-ink ${unset ? "invisible" : ""}`}
        onClick={() => onChange("")}
        type="button"
      >
        <Icon name="again" size={14} />
      </button>
    </div>
  )
}
