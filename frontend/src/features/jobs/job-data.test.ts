import { expect, test } from "vitest"
import type { Job, Step } from "@/api/client"
import { adviceFor } from "@/features/jobs/advice"
import { aboutOf, outputsOf } from "@/features/jobs/outputs"
import { barOf } from "@/features/jobs/timeline"

const T0 = Date.parse("2026-03-01T12:00:00Z")
const at = (milliseconds: number) => new Date(T0 + milliseconds).toISOString()

const JOB: Job = {
  job_id: "1",
  pipeline: "speech_to_image",
  status: "completed",
  inputs: { audio_url: "/storage/audio/7.wav" },
  options: {},
  outputs: { text: null, image_url: null, audio_url: null },
  metadata: {
    provider: null,
    created_at: at(0),
    started_at: at(100),
    completed_at: at(1100),
    error_message: null,
    error: null,
    worker_used: null,
    waiting_for: null,
    cancel_requested_at: null,
    cost_microdollars: null,
    warnings: [],
  },
  steps: [],
}
const STEP: Step = {
  name: "draw",
  capability: "image",
  status: "done",
  output: null,
  started_at: null,
  completed_at: null,
  retry_at: null,
  error: null,
  attempts: [],
}

test("outputs: files before texts, and only what is there", () => {
  const job = { ...JOB, outputs: { text: "a fox", image_url: "/storage/images/1.png", audio_url: null } }
  expect(outputsOf(job).map(({ name, kind, value }) => [name, kind, value])).toEqual([
    ["image_url", "image", "/storage/images/1.png"],
    ["text", "text", "a fox"],
  ])
  expect(outputsOf(JOB)).toEqual([])
})

test("a job is about its text, else what it heard, else its wishes, else its file", () => {
  expect(aboutOf({ ...JOB, inputs: { text: "a fox" } })).toBe("a fox")
  expect(aboutOf({ ...JOB, outputs: { ...JOB.outputs, text: "heard" } })).toBe("heard")
  expect(aboutOf({ ...JOB, options: { style: "watercolor" } })).toBe("watercolor")
  expect(aboutOf(JOB)).toBe("7.wav")
  expect(aboutOf({ ...JOB, inputs: {} })).toBe("")
})

test("a step's bar lies where its time lies in the job's", () => {
  expect(barOf({ ...STEP, started_at: at(600), completed_at: at(850) }, JOB, T0)).toEqual({ start: 0.5, length: 0.25 })
})

test("a running step reaches until now, one that waits has no bar", () => {
  const running = { ...JOB, metadata: { ...JOB.metadata, completed_at: null } }
  expect(barOf({ ...STEP, started_at: at(1100) }, running, T0 + 2100)).toEqual({ start: 0.5, length: 0.5 })
  expect(barOf(STEP, running, T0)).toBeNull()
})

test("a failure's own hint wins over general advice, and every failure has some", () => {
  const failure = { code: "provider-rejected", message: "No.", hint: "" }
  expect(adviceFor({ ...failure, hint: "Do this." })).toBe("Do this.")
  expect(adviceFor(failure)).toMatch(/another model/)
  expect(adviceFor({ ...failure, code: "never-heard-of" })).toMatch(/job's id/)
})
