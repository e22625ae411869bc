import type { ReactNode } from "react"
import { Prose } from "@/components/ui/prose"

interface SegmentedProps<T extends string> {
  name: string
  label: string
  hint?: string
  error?: string | undefined
  value: T
  options: readonly { value: T; label: string; content?: ReactNode }[]
  onChange: (value: T) => void
}

/** One of a few, all in sight, with a label above. */
export function Segmented<T extends string>({ hint = "", error, ...props }: SegmentedProps<T>) {
  const { name, label } = props
  const described = [error === undefined ? "" : `${name}-error`, hint === "" ? "" : `${name}-hint`].join(" ").trim()
  return (
    <div className="field">
      <div className="field-head">
        <span className="field-label" id={`${name}-label`}>
          {label}
        </span>
        {hint !== "" && (
          <p className="text-small text-ink3" id={`${name}-hint`}>
            <Prose text={hint} />
          </p>
        )}
      </div>
      <div aria-describedby={described || undefined} aria-labelledby={`${name}-label`} role="radiogroup">
        <Segments {...props} />
        {error !== undefined && (
          <p className="mt-1 text-small font-medium text-failed" id={`${name}-error`}>
            {error}
          </p>
        )}
      </div>
    </div>
  )
}

/** The segments alone, for a group that is named otherwise. */
export function Segments<T extends string>({
  name,
  value,
  options,
  onChange,
}: Omit<SegmentedProps<T>, "label" | "hint">) {
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
