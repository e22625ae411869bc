import { expect, test } from "vitest"
import type { Job, Pipeline, Provider, Readiness } from "@/api/client"
import { modelCapability, obstaclesOf } from "@/features/create/availability"
import { EMPTY, parseDraft } from "@/features/create/draft"
import { explained } from "@/features/create/explained"
import { Repeats } from "@/features/create/repeats"
import { draftLike, draftWith, pipelinesTaking } from "@/features/create/start"

const step = (name: string, capability: string, on_error: "fail" | "continue" = "fail") => ({
  name,
  capability,
  worker: capability,
  needs: [],
  when: null,
  on_error,
})
const PIPELINE: Pipeline = {
  type: "text_to_image",
  version: 1,
  description: "Draws.",
  inputs: { properties: { text: { type: "string", format: "text" } } },
  options: { properties: { seed: { type: "integer" } } },
  outputs: { properties: { image_url: { type: "string", format: "image_url" } } },
  steps: [step("enhance", "text", "continue"), step("draw", "image")],
}
const TAKES_IMAGE: Pipeline = {
  ...PIPELINE,
  type: "image_to_image",
  inputs: { properties: { image_url: { type: "string", format: "image_url" } } },
}

function provider(capability: string, missing = ""): Provider {
  return {
    name: "one",
    capability,
    configured: missing === "",
    missing,
    models: ["one:a"],
    any_model: false,
    slots: 1,
    in_doubt: "opaque",
    health: [],
  }
}

function readiness(...away: string[]): Readiness {
  const workers = ["text", "image"].map((capability) => ({
    worker: capability,
    capability,
    ready: !away.includes(capability),
    reason: away.includes(capability) ? "refused" : null,
  }))
  const fine = { ready: true, reason: null }
  return { ready: away.length === 0, ledger: fine, store: fine, executors: 1, workers }
}

test("nothing stands in the way when one provider of each capability is set up", () => {
  const providers = [provider("text"), provider("image", "KEY is not set"), provider("image")]
  expect(obstaclesOf(PIPELINE, providers, readiness())).toEqual([])
})

test("without a provider of a needed capability it says what is missing, and blocks", () => {
  const found = obstaclesOf(PIPELINE, [provider("text"), provider("image", "KEY is not set")], readiness())
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ blocks: true })
  expect(found[0]?.todo[0]).toBe("one: KEY is not set")
})

test("a step that may fail does not block", () => {
  const found = obstaclesOf(PIPELINE, [provider("text", "KEY is not set"), provider("image")], readiness())
  expect(found.map(({ blocks }) => blocks)).toEqual([false])
})

test("a worker that is away makes jobs wait", () => {
  const found = obstaclesOf(PIPELINE, [provider("text")], readiness("image"))
  expect(found).toMatchObject([{ blocks: false, title: "The image worker does not answer." }])
  expect(found[0]?.todo[0]).toBe("refused")
})

test("the model is that of the step which makes the result", () => {
  expect(modelCapability(PIPELINE)).toBe("image")
})

const JOB = {
  pipeline: "text_to_image",
  inputs: { text: "a fox" },
  options: { seed: 3 },
  outputs: { text: null, image_url: "/storage/images/1.png", audio_url: null, subtitles: null },
} as unknown as Job

const TYPED = {
  pipeline: "text_to_speech",
  inputs: { text: "typed", audio_url: "/storage/audio/1.wav" },
  options: { text_to_image: { seed: "9" }, text_to_speech: { speed: "2" } },
}

test("a draft is kept as text, and what is no draft is none", () => {
  expect(parseDraft(JSON.stringify(TYPED))).toEqual(TYPED)
  for (const text of [null, "", "{", "[]", "null", '{"inputs": {}}']) expect(parseDraft(text)).toBe(EMPTY)
  expect(parseDraft(JSON.stringify({ ...TYPED, inputs: { text: 1 } }))).toBe(EMPTY)
})

test("a form that does the same as a job", () => {
  expect(draftLike(EMPTY, JOB, [PIPELINE])).toEqual({
    pipeline: "text_to_image",
    inputs: { text: "a fox" },
    options: { text_to_image: { seed: "3" } },
  })
  expect(draftLike(TYPED, JOB, [])).toBe(TYPED)
})

test("filling the form from a job leaves what was typed for other pipelines", () => {
  const filled = draftLike(TYPED, { ...JOB, options: {} }, [PIPELINE])
  expect(filled.inputs).toEqual({ text: "a fox", audio_url: "/storage/audio/1.wav" })
  expect(filled.options).toEqual({ text_to_image: { seed: "" }, text_to_speech: { speed: "2" } })
})

test("a form that takes a job's output, and the pipelines that can", () => {
  expect(draftWith(TYPED, JOB, "image_url")).toEqual({
    ...TYPED,
    inputs: { ...TYPED.inputs, image_url: "/storage/images/1.png" },
  })
  expect(draftWith(TYPED, JOB, "audio_url")).toBeNull()
  expect(pipelinesTaking("image_url", [PIPELINE, TAKES_IMAGE]).map(({ type }) => type)).toEqual(["image_to_image"])
})

test("what blocks stands first", () => {
  const found = obstaclesOf(
    PIPELINE,
    [provider("text", "A is not set"), provider("image", "B is not set")],
    readiness(),
  )
  expect(found.map(({ blocks }) => blocks)).toEqual([true, false])
})

test("the same request within a second is a repeat, after a pause it is meant", () => {
  const repeats = new Repeats()
  expect(repeats.has("a", 0)).toBe(false)
  expect(repeats.has("a", 600)).toBe(true)
  expect(repeats.has("a", 1_200)).toBe(true)
  expect(repeats.has("a", 2_300)).toBe(false)
  expect(repeats.has("b", 2_400)).toBe(false)
  repeats.answered(9_000)
  expect(repeats.has("b", 9_900)).toBe(true)
  expect(repeats.has("b", 11_000)).toBe(false)
})

test("a refusal says each thing once", () => {
  const problem = {
    ...{ type: "about:blank", title: "Invalid request", status: 422, code: "invalid-request" },
    ...{ detail: "it is not an object", hint: "See /docs.", request_id: "1" },
    errors: [{ field: "", message: "it is not an object" }],
  }
  expect(explained(problem, new Set())).toMatchObject({ title: "it is not an object", lines: ["See /docs."] })
  const wrong = { ...problem, detail: "x: a", errors: ["x", "y"].map((field) => ({ field, message: "a" })) }
  expect(explained(wrong, new Set(["y"]))).toMatchObject({
    title: "One field needs a change.",
    lines: ["See /docs.", "x: a"],
    atFields: true,
  })
})
