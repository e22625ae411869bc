import type { RefObject } from "react"
import type { Job } from "@/api/client"
import { Select } from "@/components/ui/select"
import { words } from "@/lib/format"

interface JobFilterProps {
  jobs: readonly Job[]
  chosen: string
  onChoose: (pipeline: string) => void
  control: RefObject<HTMLSelectElement | null>
}

/** Narrows the list to one pipeline of those that are in it. */
export function JobFilter({ jobs, chosen, onChoose, control }: JobFilterProps) {
  const types = [...new Set([...jobs.map(({ pipeline }) => pipeline), ...(chosen === "" ? [] : [chosen])])].sort()
  return (
    <label className="flex items-center gap-2 text-small text-ink2">
      Pipeline
      <Select
        className="w-44 text-ink"
        onChange={(event) => onChoose(event.currentTarget.value)}
        ref={control}
        value={chosen}
      >
        <option value="">All</option>
        {types.map((type) => (
          <option key={type} value={type}>
            {words(type)}
          </option>
        ))}
      </Select>
    </label>
  )
}
