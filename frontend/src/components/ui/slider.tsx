import { useRef } from "react"
import { IconButton } from "@/components/ui/button"
import type { ControlProps } from "@/components/ui/labeled"

interface SliderProps {
  props: ControlProps
  value: string
  min: number
  max: number
  step: number
  onChange: (value: string) => void
}

/** A number on a scale, which may also be left out: then the scale shows no place, and a click or key chooses one. */
export function Slider({ props, value, min, max, step, onChange }: SliderProps) {
  const scale = useRef<HTMLInputElement>(null)
  const unset = value === ""
  const reset = () => {
    onChange("")
    // The button goes with the value.
    scale.current?.focus()
  }
  return (
    <div className="flex min-h-9 items-center gap-3 pointer-coarse:min-h-11">
      <input
        {...props}
        aria-valuetext={unset ? "Auto" : value}
        className={`h-6 min-w-0 grow ${unset ? "scale-unset" : ""}`}
        max={max}
        min={min}
        onChange={(event) => onChange(event.currentTarget.value)}
        // The place where the browser keeps the unset thumb is no change to it, though it is one to people.
        onClick={(event) => onChange(event.currentTarget.value)}
        ref={scale}
        step={step}
        type="range"
        value={unset ? (min + max) / 2 : value}
      />
      <output className="meta w-8 text-right" htmlFor={props.id}>
        {unset ? "Auto" : value}
      </output>
      {!unset && <IconButton icon="again" label="Back to auto" onClick={reset} />}
    </div>
  )
}
