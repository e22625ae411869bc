import { expect, test } from "vitest"
import { fromJson, toJson } from "@/lib/form-values"
import type { Control, Field } from "@/lib/json-schema"

function field(name: string, control: Control, required = false): Field {
  return { name, label: name, description: "", required, control }
}

const TEXT: Control = { type: "text", multiline: true, maxLength: 5, suggestions: [] }
const SEED: Control = { type: "number", integer: true, min: 0, max: 9, slider: false }
const FIELDS = [
  field("text", TEXT, true),
  field("audio_url", { type: "media", kind: "audio", maxLength: 24 }),
  field("seed", SEED),
  field("stop", { type: "lines", maxItems: 2 }),
  field("quality", { type: "choice", values: ["draft"] }),
  field("flag", { type: "flag" }),
  field("provider_options", { type: "json", expects: "object" }),
  field("examples", { type: "json", expects: "list" }),
  field("system", { ...TEXT, maxLength: null }),
]

test("what is typed becomes JSON, and what is left empty is left out", () => {
  const typed = {
    text: " a ",
    audio_url: " /storage/audio/1.wav ",
    seed: "7",
    stop: "a\n\n b",
    quality: "",
    flag: "false",
    provider_options: '{"top_k": 4}',
  }
  expect(toJson(FIELDS, typed)).toEqual({
    json: {
      text: " a ",
      audio_url: "/storage/audio/1.wav",
      seed: 7,
      stop: ["a", " b"],
      flag: false,
      provider_options: { top_k: 4 },
    },
    errors: new Map(),
  })
})

test.each([
  ["text", "", "Write something first."],
  ["text", "123456", "At most 5 characters; this has 6."],
  ["audio_url", "ftp://example.org/a", "Write a URL that begins with https://, or choose an earlier output."],
  ["audio_url", "https://example.org/1.wav", "At most 24 characters; this has 25."],
  ["seed", "x", "Write a number."],
  ["seed", "1.5", "Write a whole number."],
  ["seed", "-1", "At least 0."],
  ["seed", "10", "At most 9."],
  ["stop", "a\nb\nc", "At most 2 lines."],
  ["examples", "{}", 'Write a JSON list, for example [{"name": "value"}].'],
  ["provider_options", "[1]", 'Write a JSON object, for example {"top_k": 40}.'],
])("%s: %j is refused", (name, typed, message) => {
  const { json, errors } = toJson(FIELDS, { text: "fine", [name]: typed })
  expect(errors).toEqual(new Map([[name, message]]))
  expect(json).not.toHaveProperty(name)
})

test("broken JSON is refused with what is wrong", () => {
  const { errors } = toJson(FIELDS, { text: "fine", provider_options: "{" })
  expect(errors.get("provider_options")).toMatch(/^This is not JSON: /)
})

test("characters are counted as people and the gateway count them", () => {
  expect(toJson(FIELDS, { text: "😀😀😀😀😀" }).errors.size).toBe(0)
  expect(toJson(FIELDS, { text: "😀😀😀😀😀😀" }).errors.get("text")).toBe("At most 5 characters; this has 6.")
})

test("a job's JSON fills the form and comes back the same", () => {
  const json = { text: "a", seed: 0, stop: ["x", "y"], flag: true, provider_options: { a: [1] } }
  const values = fromJson(FIELDS, { ...json, quality: null })
  expect(values.stop).toBe("x\ny")
  expect(values).toMatchObject({ quality: "", audio_url: "" })
  expect(toJson(FIELDS, values)).toEqual({ json, errors: new Map() })
})

test.each([
  { stop: ["\n", "END"] },
  { stop: ["a\nb"] },
  { stop: ["", " "] },
  { stop: ['"', '""'] },
  { stop: ['"\\n"', "\\n"] },
  { stop: [" a ", "\t"] },
  { stop: ["\r\n", "ünïcode 😀"] },
  { system: " " },
  { system: " two\r\nlines\n" },
  { provider_options: {} },
  { examples: [{ text: "a", answer: "b" }] },
  { flag: false, seed: 0 },
])("%j comes back as it was", (options) => {
  const json = { text: "a", ...options }
  expect(toJson(FIELDS, fromJson(FIELDS, json))).toEqual({ json, errors: new Map() })
})

test("what is simple is shown as it is", () => {
  expect(fromJson(FIELDS, { stop: ["END", 'say "no"', "\\n"] }).stop).toBe('END\nsay "no"\n\\n')
  expect(fromJson(FIELDS, { stop: ["\n", "END"] }).stop).toBe('"\\n"\nEND')
})
