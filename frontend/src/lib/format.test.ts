import { expect, test } from "vitest"
import { ago, between, characters, clock, cost, duration, words } from "@/lib/format"

test.each([
  [-5, "0.00 s"],
  [420, "0.42 s"],
  [9_994, "9.99 s"],
  [9_996, "10.0 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min 00 s"],
  [185_000, "3 min 05 s"],
  [3_599_400, "59 min 59 s"],
  [3_600_000, "1 h 00 min"],
  [7_439_000, "2 h 04 min"],
])("%i ms last %s", (milliseconds, shown) => {
  expect(duration(milliseconds)).toBe(shown)
})

test.each([
  [-3, "just now"],
  [44, "just now"],
  [50, "1 minute ago"],
  [5 * 60, "5 minutes ago"],
  [59 * 60, "59 minutes ago"],
  [3 * 3600, "3 hours ago"],
  [86_400, "yesterday"],
  [6 * 86_400, "6 days ago"],
  [8 * 86_400, "Feb 21, 2026"],
])("%i seconds before now is %s", (seconds, shown) => {
  const now = Date.parse("2026-03-01T12:00:00Z")
  expect(ago(new Date(now - seconds * 1000).toISOString(), now)).toBe(shown)
})

test("time runs until now while there is no end", () => {
  const from = "2026-03-01T12:00:00Z"
  expect(between(from, "2026-03-01T12:00:01.500Z")).toBe(1500)
  expect(between(from, null, Date.parse(from) + 250)).toBe(250)
})

test.each([
  [null, "not reported"],
  [0, "free"],
  [3_100, "$0.0031"],
  [1_234_567, "$1.23"],
])("%s microdollars are shown as %s", (microdollars, shown) => {
  expect(cost(microdollars)).toBe(shown)
})

test("positions in a recording", () => {
  expect([0, 7.9, 750, Number.NaN, Infinity].map(clock)).toEqual(["0:00", "0:07", "12:30", "0:00", "0:00"])
})

test("names become words", () => {
  expect(["aspect_ratio", "audio_url", "text_to_image"].map(words)).toEqual([
    "Aspect ratio",
    "Audio URL",
    "Text to image",
  ])
})

test("a character is what people take for one", () => {
  expect(characters("a😀b")).toBe(3)
})
