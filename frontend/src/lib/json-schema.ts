/** Turns the JSON Schemas that `GET /pipelines` gives into fields of a form. */

import type { Kind } from "@/lib/kinds"
import { KINDS, kindOfFormat } from "@/lib/kinds"
import { hintOf, labelOf } from "@/lib/wording"

export type Control =
  | { type: "text"; multiline: boolean; maxLength: number | null; suggestions: string[] }
  | { type: "media"; kind: Kind; maxLength: number | null }
  | { type: "choice"; values: string[] }
  | { type: "number"; integer: boolean; min: number | null; max: number | null; slider: boolean }
  | { type: "flag" }
  | { type: "lines"; maxItems: number | null }
  | { type: "json"; expects: "object" | "list" | "any" }

export interface Field {
  name: string
  label: string
  description: string
  required: boolean
  control: Control
}

type Schema = Readonly<Record<string, unknown>>

const LONG_TEXT = 1000
const WIDEST_SLIDER = 10

/** Inputs of this format take the id of a file in place of its URL, for which there is a field of its own. */
const FILE_ID = "file_id"

/** The fields of an object schema, in its order. */
export function fieldsOf(schema: Schema): Field[] {
  const required = requiredOf(schema)
  return Object.entries(objectAt(schema, "properties")).flatMap(([name, raw]) => {
    const property = resolved(raw as Schema, schema)
    if (property.format === FILE_ID) return []
    return {
      name,
      label: labelOf(name),
      description: hintOf(name, textAt(property, "description")),
      required: required.has(name),
      control: controlOf(property),
    }
  })
}

/** The properties that have to be given, also those in whose place another may be. */
function requiredOf(schema: Schema): Set<unknown> {
  const alternatives = listAt(schema, "allOf").flatMap((part) => listAt(part, "anyOf"))
  const lists = [schema, ...alternatives].map(({ required }) => required)
  return new Set(lists.flatMap((list): unknown[] => (Array.isArray(list) ? list : [])))
}

/** The kinds of content that an object schema's properties have, without repeats. */
export function kindsOf(schema: Schema): Kind[] {
  const found = Object.values(objectAt(schema, "properties")).map((raw) =>
    kindOfFormat(textAt(resolved(raw as Schema, schema), "format")),
  )
  return KINDS.filter((kind) => found.includes(kind))
}

/** A property without references and without the alternative null; its own words win over those of what it refers to. */
function resolved(property: Schema, root: Schema): Schema {
  const reference = textAt(property, "$ref")
  if (reference !== "") {
    const target = objectAt(objectAt(root, "$defs"), reference.replace("#/$defs/", ""))
    return resolved({ ...target, ...without(property, "$ref") }, root)
  }
  if (!Array.isArray(property.anyOf)) return property
  const alternatives = (property.anyOf as Schema[]).filter((alternative) => alternative.type !== "null")
  const [only] = alternatives
  if (only === undefined || alternatives.length > 1) return property
  return { ...resolved(only, root), ...without(property, "anyOf") }
}

function controlOf(property: Schema): Control {
  if (Array.isArray(property.enum)) return { type: "choice", values: property.enum.map(String) }
  switch (property.type) {
    case "string":
      return textOf(property)
    case "number":
    case "integer":
      return numberOf(property)
    case "boolean":
      return { type: "flag" }
    case "array":
      return objectAt(property, "items").type === "string"
        ? { type: "lines", maxItems: numberAt(property, "maxItems") }
        : { type: "json", expects: "list" }
    case "object":
      return { type: "json", expects: "object" }
    default:
      return { type: "json", expects: "any" }
  }
}

function textOf(property: Schema): Control {
  const kind = kindOfFormat(textAt(property, "format"))
  const maxLength = numberAt(property, "maxLength")
  if (kind !== null && kind !== "text") return { type: "media", kind, maxLength }
  const examples = Array.isArray(property.examples) ? property.examples.map(String) : []
  return {
    type: "text",
    multiline: maxLength !== null && maxLength >= LONG_TEXT,
    maxLength,
    suggestions: examples,
  }
}

function numberOf(property: Schema): Control {
  const min = numberAt(property, "minimum") ?? numberAt(property, "exclusiveMinimum")
  const max = numberAt(property, "maximum") ?? numberAt(property, "exclusiveMaximum")
  const integer = property.type === "integer"
  const slider = min !== null && max !== null && max - min <= WIDEST_SLIDER
  return { type: "number", integer, min, max, slider }
}

function objectAt(schema: Schema, key: string): Schema {
  const value = schema[key]
  return typeof value === "object" && value !== null ? (value as Schema) : {}
}

function listAt(schema: Schema, key: string): Schema[] {
  const value = schema[key]
  return Array.isArray(value) ? (value as Schema[]) : []
}

function textAt(schema: Schema, key: string): string {
  const value = schema[key]
  return typeof value === "string" ? value : ""
}

function numberAt(schema: Schema, key: string): number | null {
  const value = schema[key]
  return typeof value === "number" ? value : null
}

function without(schema: Schema, key: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key))
}
