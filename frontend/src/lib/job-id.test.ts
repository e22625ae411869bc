import { expect, test } from "vitest"
import { isJobId } from "@/lib/job-id"

test("the ids of jobs are UUIDs", () => {
  expect(isJobId("01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55")).toBe(true)
})

test.each(["", ".", "..", "x/cancel", "01930f2e", " 01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/cancel"])(
  "%j is none",
  (text) => {
    expect(isJobId(text)).toBe(false)
  },
)
