/** What a person has typed into a form, and the JSON it stands for. */

import { characters } from "@/lib/format"
import type { Field } from "@/lib/json-schema"

/** By field name, as typed; nothing and the empty text both mean "left out". */
export type Values = Readonly<Record<string, string>>

// eslint-disable-next-line no-control-regex -- these are what a text field would change or not show
const CONTROLS = /[\u0000-\u001f]/

type Parsed = { value: unknown } | { error: string }

/** The JSON of a form's values, and what is wrong with them by field name. */
export function toJson(fields: readonly Field[], values: Values) {
  const json: Record<string, unknown> = {}
  const errors = new Map<string, string>()
  for (const field of fields) {
    const typed = values[field.name] ?? ""
    if (isLeftOut(field, typed)) {
      if (field.required) errors.set(field.name, missing(field))
      continue
    }
    const parsed = parse(field, typed)
    if ("error" in parsed) errors.set(field.name, parsed.error)
    else json[field.name] = parsed.value
  }
  return { json, errors }
}

/** The form's values for JSON that a job was made with; `toJson` gives the same again. What it leaves out is empty. */
export function fromJson(fields: readonly Field[], json: Readonly<Record<string, unknown>>): Values {
  const values: Record<string, string> = {}
  for (const { name, control } of fields) {
    const value = json[name]
    if (value === undefined || value === null) values[name] = ""
    else if (control.type === "lines" && Array.isArray(value)) values[name] = value.map(lineOf).join("\n")
    else if (typeof value === "string" && control.type !== "json") values[name] = value
    else values[name] = JSON.stringify(value, null, 2)
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
      return parseJson(control.expects, typed)
    case "choice":
      return { value: typed }
    case "media":
      return parseUrl(control.maxLength, typed.trim())
    case "text":
      return parseText(control.maxLength, typed)
  }
}

function parseText(maxLength: number | null, typed: string): Parsed {
  const length = characters(typed)
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
  const lines = typed.split("\n").filter(isWritten).map(textOfLine)
  if (maxItems !== null && lines.length > maxItems) return { error: `At most ${maxItems} lines.` }
  return { value: lines }
}

/** A text as a line of its own: as it is, or as JSON where it would not be read like that again. */
function lineOf(text: unknown): string {
  const isPlain = typeof text === "string" && isWritten(text) && !CONTROLS.test(text) && textOfLine(text) === text
  return isPlain ? text : JSON.stringify(text)
}

/** The text that a line stands for: what is written in quotes as JSON, for example "\\n", else the line itself. */
function textOfLine(line: string): string {
  if (!/^".*"$/.test(line)) return line
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "string" ? value : line
  } catch (error) {
    if (error instanceof SyntaxError) return line
    throw error
  }
}

function isWritten(line: string): boolean {
  return line.trim() !== ""
}

/** A space alone may be meant where any text is allowed, but not in what a job needs. */
function isLeftOut({ control, required }: Field, typed: string): boolean {
  return control.type === "text" && !required ? typed === "" : !isWritten(typed)
}

function parseJson(expects: "object" | "list" | "any", typed: string): Parsed {
  try {
    const value: unknown = JSON.parse(typed)
    const isList = Array.isArray(value)
    const isObject = typeof value === "object" && value !== null && !isList
    if (expects === "object" && !isObject) return { error: 'Write a JSON object, for example {"top_k": 40}.' }
    if (expects === "list" && !isList) return { error: 'Write a JSON list, for example [{"name": "value"}].' }
    return { value }
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
