/** What a person has typed into a form, and the JSON it stands for. */

import type { Field } from "@/lib/json-schema"

/** By field name, as typed; nothing and the empty text both mean "left out". */
export type Values = Readonly<Record<string, string>>

type Parsed = { value: unknown } | { error: string }

/** The JSON of a form's values, and what is wrong with them by field name. */
export function toJson(fields: readonly Field[], values: Values) {
  const json: Record<string, unknown> = {}
  const errors = new Map<string, string>()
  for (const field of fields) {
    const typed = values[field.name] ?? ""
    if (typed.trim() === "") {
      if (field.required) errors.set(field.name, missing(field))
      continue
    }
    const parsed = parse(field, typed)
    if ("error" in parsed) errors.set(field.name, parsed.error)
    else json[field.name] = parsed.value
  }
  return { json, errors }
}

/** The form's values for JSON that a job was made with; fields that it leaves out are empty. */
export function fromJson(fields: readonly Field[], json: Readonly<Record<string, unknown>>): Values {
  const values: Record<string, string> = {}
  for (const { name, control } of fields) {
    const value = json[name]
    if (value === undefined || value === null) values[name] = ""
    else if (control.type === "lines" && Array.isArray(value)) values[name] = value.join("\n")
    else values[name] = typeof value === "string" ? value : JSON.stringify(value, null, 2)
  }
  return values
}

function parse({ control }: Field, typed: string): Parsed {
  switch (control.type) {
    case "number":
      return parseNumber(control, typed)
    case "flag":
      return { value: typed === "true" }
    case "lines":
      return parseLines(control.maxItems, typed)
    case "json":
      return parseObject(typed)
    case "choice":
      return { value: typed }
    case "media":
      return parseUrl(control.maxLength, typed.trim())
    case "text":
      return parseText(control.maxLength, typed)
  }
}

function parseText(maxLength: number | null, typed: string): Parsed {
  const { length } = Array.from(typed)
  if (maxLength === null || length <= maxLength) return { value: typed }
  return { error: `At most ${maxLength.toLocaleString("en")} characters; this has ${length.toLocaleString("en")}.` }
}

function parseNumber(control: { integer: boolean; min: number | null; max: number | null }, typed: string): Parsed {
  const value = Number(typed)
  if (!Number.isFinite(value)) return { error: "Write a number." }
  if (control.integer && !Number.isInteger(value)) return { error: "Write a whole number." }
  if (control.min !== null && value < control.min) return { error: `At least ${control.min}.` }
  if (control.max !== null && value > control.max) return { error: `At most ${control.max}.` }
  return { value }
}

function parseLines(maxItems: number | null, typed: string): Parsed {
  const lines = typed.split("\n").filter((line) => line !== "")
  if (maxItems !== null && lines.length > maxItems) return { error: `At most ${maxItems} lines.` }
  return { value: lines }
}

function parseObject(typed: string): Parsed {
  try {
    const value: unknown = JSON.parse(typed)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { value }
    return { error: 'Write a JSON object, for example {"top_k": 40}.' }
  } catch (error) {
    return { error: `This is not JSON: ${error instanceof Error ? error.message : "it cannot be read"}.` }
  }
}

function parseUrl(maxLength: number | null, typed: string): Parsed {
  if (/^(https?:\/\/|\/storage\/)\S+$/.test(typed)) return parseText(maxLength, typed)
  return { error: "Write a URL that begins with https://, or choose an earlier output." }
}

function missing({ control }: Field): string {
  if (control.type === "media") return "Give a URL, or choose an earlier output."
  return control.type === "text" ? "Write something first." : "This is needed."
}
