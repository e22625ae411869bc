import { Labeled } from "@/components/ui/labeled"
import { characters } from "@/lib/format"

interface PromptFieldProps {
  id: string
  label: string
  hint: string
  maxLength: number | null
  value: string
  error: string | undefined
  examples: readonly string[]
  onChange: (value: string) => void
}

const NEARLY_FULL = 0.8

/** The text that a job starts from. */
export function PromptField({ id, label, hint, maxLength, value, error, examples, onChange }: PromptFieldProps) {
  const length = characters(value)
  const nearlyFull = maxLength !== null && length > maxLength * NEARLY_FULL
  return (
    <div>
      <Labeled error={error} id={id} label={label}>
        {(props) => (
          <textarea
            {...props}
            className="control field-sizing-content max-h-96 min-h-24 px-3 py-2 text-title"
            onChange={(event) => onChange(event.currentTarget.value)}
            placeholder={hint}
            rows={3}
            value={value}
          />
        )}
      </Labeled>
      {nearlyFull && (
        <p className="meta mt-1 text-right text-ink2">
          {length.toLocaleString("en")} of {maxLength.toLocaleString("en")} characters
        </p>
      )}
      {value === "" && examples.length > 0 && (
        <div className="mt-2 flex items-baseline gap-1 text-small">
          <span className="shrink-0 text-ink3">Try</span>
          <div className="flex min-w-0 flex-wrap gap-1">
            {examples.map((example) => (
              <button
                className="min-h-6 rounded-control px-1.5 py-0.5 text-left text-ink2 underline decoration-line underline-offset-3 hover:text-ink hover:decoration-ink pointer-coarse:min-h-11"
                key={example}
                onClick={() => onChange(example)}
                type="button"
              >
                {example}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  )
}
