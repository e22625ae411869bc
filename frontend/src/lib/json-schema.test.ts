import { expect, test } from "vitest"
import type { Control } from "@/lib/json-schema"
import { fieldsOf, kindsOf } from "@/lib/json-schema"

const nullable = (schema: object, more: object = {}) => ({ anyOf: [schema, { type: "null" }], default: null, ...more })

function control(property: object, definitions: object = {}): Control | undefined {
  return fieldsOf({ type: "object", properties: { it: property }, $defs: definitions })[0]?.control
}

test("fields keep the schema's order, and say what they are", () => {
  const fields = fieldsOf({
    properties: { text: { type: "string", description: "The prompt." }, top_p: nullable({ type: "number" }) },
    required: ["text"],
  })
  expect(fields.map(({ name, label, required, description }) => [name, label, required, description])).toEqual([
    ["text", "Text", true, "The prompt."],
    ["top_p", "Top p", false, "1 allows every word, less only the likeliest ones."],
  ])
})

test("a file is one field, whether it may be given by URL or by id", () => {
  const fields = fieldsOf({
    properties: {
      image_url: { type: "string", format: "image_url" },
      image_file: { type: "string", format: "file_id" },
    },
    allOf: [{ anyOf: [{ required: ["image_url"] }, { required: ["image_file"] }] }],
  })
  expect(fields.map(({ name, required }) => [name, required])).toEqual([["image_url", true]])
})

test("a choice behind a reference and beside null", () => {
  const property = nullable({ $ref: "#/$defs/Quality" }, { description: "How fine." })
  const definitions = { Quality: { enum: ["draft", "high"], type: "string", description: "Of the type." } }
  expect(control(property, definitions)).toEqual({ type: "choice", values: ["draft", "high"] })
  const [field] = fieldsOf({ properties: { quality: property }, $defs: definitions })
  expect(field?.description).toBe("How fine.")
})

test("a description within the alternative is found", () => {
  const [field] = fieldsOf({ properties: { seed: nullable({ type: "integer", description: "Repeatable." }) } })
  expect(field?.description).toBe("Repeatable.")
})

test.each([
  [
    { type: "number", minimum: 0, maximum: 2 },
    { integer: false, min: 0, max: 2, slider: true },
  ],
  [
    { type: "number", exclusiveMinimum: 0, maximum: 1 },
    { integer: false, min: 0, max: 1, slider: true },
  ],
  [
    { type: "integer", minimum: 0, maximum: 4294967295 },
    { integer: true, min: 0, max: 4294967295, slider: false },
  ],
  [{ type: "integer" }, { integer: true, min: null, max: null, slider: false }],
])("numbers: %j", (schema, expected) => {
  expect(control(nullable(schema))).toEqual({ type: "number", ...expected })
})

test("texts: short ones with suggestions, long ones on several lines", () => {
  expect(control(nullable({ type: "string", maxLength: 200, minLength: 1 }, { examples: ["cinematic"] }))).toEqual({
    type: "text",
    multiline: false,
    maxLength: 200,
    suggestions: ["cinematic"],
  })
  expect(control({ type: "string", maxLength: 4000 })).toMatchObject({ multiline: true, suggestions: [] })
})

test("files, flags, lists and objects", () => {
  expect(control({ type: "string", format: "audio_url", maxLength: 2048 })).toEqual({
    type: "media",
    kind: "audio",
    maxLength: 2048,
  })
  expect(control({ type: "boolean" })).toEqual({ type: "flag" })
  expect(control({ type: "array", items: { type: "string" }, maxItems: 4 })).toEqual({ type: "lines", maxItems: 4 })
  expect(control({ type: "array", items: { type: "object" } })).toEqual({ type: "json", expects: "list" })
  expect(control({ type: "object", additionalProperties: true })).toEqual({ type: "json", expects: "object" })
})

test("what no control can show is edited as JSON", () => {
  expect(control({ anyOf: [{ type: "string" }, { type: "integer" }] })).toEqual({ type: "json", expects: "any" })
})

test("kinds of content", () => {
  const schema = { properties: { text: { format: "text" }, image_url: nullable({ format: "image_url" }) } }
  expect(kindsOf(schema)).toEqual(["text", "image"])
})
