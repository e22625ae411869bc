import type { ReactNode } from "react"
import type { Remarks } from "@/components/ui/labeled"
import { LabeledGroup } from "@/components/ui/labeled"

export interface Segment<T extends string = string> {
  value: T
  label: string
  /** Shown instead of the label. */
  content?: ReactNode
}

interface SegmentsProps<T extends string> {
  name: string
  value: T
  options: readonly Segment<T>[]
  onChange: (value: T) => void
}

/** One of a few, all in sight, with what is said about it. */
export function Segmented<T extends string>({
  value,
  options,
  onChange,
  ...remarks
}: Remarks & Omit<SegmentsProps<T>, "name">) {
  return (
    <LabeledGroup {...remarks}>
      <Segments name={remarks.id} onChange={onChange} options={options} value={value} />
    </LabeledGroup>
  )
}

/** The segments alone, for a group that is named otherwise. */
export function Segments<T extends string>({ name, value, options, onChange }: SegmentsProps<T>) {
  return (
    <div className="flex rounded-control border border-edge bg-surface">
      {options.map((option) => (
        <label
          className="relative flex min-h-8.5 flex-1 items-center justify-center rounded-[2px] px-2 whitespace-nowrap text-ink2 hover:text-ink has-checked:bg-sunken has-checked:font-medium has-checked:text-ink has-checked:inset-ring has-checked:inset-ring-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-ink pointer-coarse:min-h-10.5"
          key={option.value}
          title={option.content === undefined ? undefined : option.label}
        >
          <input
            checked={option.value === value}
            className="absolute inset-0 size-full cursor-pointer opacity-0"
            name={name}
            onChange={() => onChange(option.value)}
            type="radio"
            value={option.value}
          />
          {option.content === undefined ? (
            option.label
          ) : (
            <>
              <span className="sr-only">{option.label}</span>
              {option.content}
            </>
          )}
        </label>
      ))}
    </div>
  )
}
