import { expect, test } from "vitest"
import { isTerminal, nextListLook, nextLook } from "@/lib/polling"

test.each(["completed", "failed", "canceled"])("a %s job is not looked up again", (status) => {
  expect(isTerminal(status)).toBe(true)
  expect(nextLook(status, 0)).toBe(false)
})

test.each(["queued", "running"])("a %s job is looked up twice a second at first", (status) => {
  expect(isTerminal(status)).toBe(false)
  expect(nextLook(status, 0)).toBe(500)
  expect(nextLook(status, 15_000)).toBe(500)
})

test("the longer it takes the more seldom it is looked up, at least every five seconds", () => {
  expect(nextLook("running", 30_000)).toBe(1_000)
  expect(nextLook("running", 3_600_000)).toBe(5_000)
})

test("a list is looked up often while something in it runs, seldom otherwise, but never not", () => {
  expect(nextListLook(["completed", "queued"])).toBe(2_000)
  expect(nextListLook(["completed", "failed", "canceled"])).toBe(12_000)
  expect(nextListLook([])).toBe(12_000)
})

test("a clock that runs ahead of the gateway's changes nothing", () => {
  expect(nextLook("queued", -60_000)).toBe(500)
})
