import { useState } from "react"
import type { Provider } from "@/api/client"
import { Labeled } from "@/components/ui/labeled"
import { Select } from "@/components/ui/select"

const OTHER = "other"

interface ModelFieldProps {
  id: string
  providers: readonly Provider[]
  value: string
  error: string | undefined
  onChange: (value: string) => void
}

/** Chooses a model of the providers that serve a capability; those of providers that are not set up cannot be chosen. */
export function ModelField({ id, providers, value, error, onChange }: ModelFieldProps) {
  const known = providers.flatMap(({ models }) => models)
  const [other, setOther] = useState(value !== "" && !known.includes(value))
  const first = providers.find(({ configured }) => configured)?.models[0]
  const free = providers.filter(({ configured, any_model }) => configured && any_model)
  const select = (choice: string) => {
    setOther(choice === OTHER)
    onChange(choice === OTHER ? "" : choice)
  }
  return (
    <Labeled error={error} id={id} label="Model">
      {(props) => (
        <div className="space-y-2">
          <Select
            {...(other ? { id: `${id}-list`, "aria-label": "Model" } : props)}
            onChange={(event) => select(event.currentTarget.value)}
            value={other ? OTHER : value}
          >
            <option value="">{first === undefined ? "Auto" : `Auto (${first})`}</option>
            {providers.map(({ name, configured, models }) => (
              <optgroup key={name} label={configured ? name : `${name} (not set up)`}>
                {models.map((model) => (
                  <option disabled={!configured} key={model} value={model}>
                    {model}
                  </option>
                ))}
              </optgroup>
            ))}
            {(free.length > 0 || other) && <option value={OTHER}>Another model…</option>}
          </Select>
          {other && (
            <input
              {...props}
              autoComplete="off"
              className="control"
              onChange={(event) => onChange(event.currentTarget.value)}
              placeholder={`${free[0]?.name ?? "provider"}:model`}
              value={value}
            />
          )}
        </div>
      )}
    </Labeled>
  )
}
