import { expect, test } from "vitest"
import type { Attempt, Job, Step } from "@/api/client"
import { adviceFor } from "@/features/jobs/advice"
import { aboutOf, outputsOf } from "@/features/jobs/outputs"
import { barOf, outcomeOf, progressOf, stateOfStep } from "@/features/jobs/timeline"

const T0 = Date.parse("2026-03-01T12:00:00Z")
const at = (milliseconds: number) => new Date(T0 + milliseconds).toISOString()

const JOB: Job = {
  job_id: "1",
  pipeline: "speech_to_image",
  status: "completed",
  inputs: { audio_url: "/storage/audio/7.wav" },
  options: {},
  outputs: { text: null, image_url: null, audio_url: null, subtitles: null },
  metadata: {
    provider: null,
    created_at: at(0),
    started_at: at(100),
    completed_at: at(1100),
    error_message: null,
    error: null,
    worker_used: null,
    waiting_for: null,
    queue: null,
    priority: 0,
    batch_id: null,
    not_before: null,
    start_by: null,
    finish_by: null,
    on_ambiguous: "fail",
    retried_at: null,
    cancel_requested_at: null,
    cost_microdollars: null,
    cost_known_microdollars: 0,
    max_cost_microdollars: null,
    warnings: [],
  },
  steps: [],
}
const STEP: Step = {
  name: "draw",
  part_of: null,
  capability: "image",
  status: "done",
  output: null,
  started_at: null,
  completed_at: null,
  retry_at: null,
  error: null,
  cost_microdollars: null,
  attempts: [],
}

test("outputs: files before texts, and only what is there", () => {
  const job = {
    ...JOB,
    outputs: { text: "a fox", image_url: "/storage/images/1.png", audio_url: null, subtitles: null },
  }
  expect(outputsOf(job).map(({ name, kind, value }) => [name, kind, value])).toEqual([
    ["image_url", "image", "/storage/images/1.png"],
    ["text", "text", "a fox"],
  ])
  expect(outputsOf(JOB)).toEqual([])
})

test("a job is about what a person asked for: what they wrote, else what they said", () => {
  const heard = { ...JOB.outputs, text: "heard" }
  expect(aboutOf({ ...JOB, inputs: { text: "a fox" }, outputs: heard, options: { style: "oil" } })).toBe("a fox")
  expect(aboutOf({ ...JOB, options: { prompt: "add snow", style: "oil" } })).toBe("add snow")
  expect(aboutOf({ ...JOB, outputs: heard, options: { style: "oil" } })).toBe("heard")
})

test.each([
  [{ audio_url: "/storage/audio/7.wav" }, {}, "An earlier recording"],
  [{ image_url: "/storage/images/7.png" }, { style: "oil" }, "An earlier image in the style “oil”"],
  [{ image_url: "https://example.org/a/harbor.jpg?size=2#top" }, {}, "harbor.jpg"],
  [{ audio_url: "https://example.org/talk/" }, { style: "ink" }, "talk in the style “ink”"],
  [{}, { style: "oil" }, ""],
])("without words a job is about its file, not about its style alone: %j %j", (inputs, options, about) => {
  expect(aboutOf({ ...JOB, inputs, options })).toBe(about)
})

test("a step's bar lies where its time lies in the job's", () => {
  expect(barOf({ ...STEP, started_at: at(600), completed_at: at(850) }, JOB, T0)).toEqual({ start: 0.5, length: 0.25 })
})

test("a running step reaches until now, one that waits has no bar", () => {
  const running = { ...JOB, metadata: { ...JOB.metadata, completed_at: null } }
  expect(barOf({ ...STEP, started_at: at(1100) }, running, T0 + 2100)).toEqual({ start: 0.5, length: 0.5 })
  expect(barOf(STEP, running, T0)).toBeNull()
})

test("the steps of a canceled job were canceled or not started, none was skipped", () => {
  const canceled: Job = { ...JOB, status: "canceled" }
  expect(stateOfStep({ ...STEP, status: "skipped", started_at: at(100) }, canceled)).toBe("canceled")
  expect(stateOfStep({ ...STEP, status: "skipped" }, canceled)).toBe("not started")
  expect(stateOfStep(STEP, canceled)).toBe("done")
  expect(stateOfStep({ ...STEP, status: "skipped" }, JOB)).toBe("skipped")
})

test("a canceled attempt did not fail", () => {
  const attempt: Attempt = {
    number: 1,
    model: "fake:made-up",
    status: "failed",
    created_at: at(0),
    settled_at: at(1),
    cost_microdollars: null,
    cost_source: null,
    quantities: {},
    warnings: [],
    error: { code: "attempt-canceled", message: "The attempt was canceled.", hint: "" },
  }
  expect(outcomeOf(attempt)).toEqual({ word: "canceled", error: null })
  const error = { code: "provider-rejected", message: "No.", hint: "" }
  expect(outcomeOf({ ...attempt, error })).toEqual({ word: "failed", error })
})

test("progress counts the steps that are taken", () => {
  const working = (...statuses: Step["status"][]) =>
    progressOf({ ...JOB, status: "running", steps: statuses.map((status) => ({ ...STEP, status })) })
  expect(working("done", "running")).toBe("Step 2 of 2: draw…")
  expect(working("running", "waiting")).toBe("Step 1 of 2: draw…")
  expect(working("skipped", "running")).toBe("Working…")
  expect(working("done", "skipped", "running", "waiting")).toBe("Step 2 of 3: draw…")
  expect(working("done", "waiting")).toBe("Working…")
  expect(progressOf({ ...JOB, status: "queued" })).toBe("Waiting for a free slot…")
})

test("progress counts parts with their step", () => {
  const part = { ...STEP, part_of: "draw" }
  const steps: Step[] = [
    { ...STEP, status: "running" },
    { ...part, name: "draw#1", status: "done" },
    { ...part, name: "draw#2", status: "running" },
    { ...part, name: "draw#3", status: "waiting" },
  ]
  expect(progressOf({ ...JOB, status: "running", steps })).toBe("Working… 1 of 3 parts")
})

test("a failure's own hint wins over general advice, and every failure has some", () => {
  const failure = { code: "provider-rejected", message: "No.", hint: "" }
  expect(adviceFor({ ...failure, hint: "Do this." })).toBe("Do this.")
  expect(adviceFor(failure)).toMatch(/another model/)
  expect(adviceFor({ ...failure, code: "model-unavailable" })).toMatch(/another model/)
  expect(adviceFor({ ...failure, code: "never-heard-of" })).toMatch(/job's id/)
})
