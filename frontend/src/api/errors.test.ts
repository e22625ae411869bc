import { expect, test } from "vitest"
import type { Problem } from "@/api/errors"
import { GatewayAway, ProblemError, byField, errorOf, isPassing, unwrap, waitOf } from "@/api/errors"

const PROBLEM: Problem = {
  type: "about:blank",
  title: "Invalid request",
  status: 422,
  code: "invalid-request",
  detail: "inputs.text: too short",
  hint: "Write more.",
  request_id: "1",
  errors: [
    { field: "inputs.text", message: "too short" },
    { field: "inputs.text", message: "and dull" },
    { field: "options.stop.3", message: "not a text" },
    { field: "pipeline", message: "unknown" },
  ],
}

test("messages stand at their fields, the first of each; the rest is not lost", () => {
  const { fields, rest } = byField(PROBLEM, new Set(["inputs.text", "options.stop"]))
  expect(fields).toEqual(
    new Map([
      ["inputs.text", "too short"],
      ["options.stop", "not a text"],
    ]),
  )
  expect(rest).toEqual(["pipeline: unknown"])
})

test("what is wrong with the request as a whole names no field", () => {
  const { rest } = byField({ ...PROBLEM, errors: [{ field: "", message: "not an object" }] }, new Set())
  expect(rest).toEqual(["not an object"])
})

test("success gives the data", async () => {
  const response = new Response()
  await expect(unwrap(Promise.resolve({ data: 5, response }))).resolves.toEqual({ data: 5, response })
})

test("a problem is thrown as such", async () => {
  const call = Promise.resolve({ error: PROBLEM, response: new Response(null, { status: 422 }) })
  await expect(unwrap(call)).rejects.toThrow(new ProblemError(PROBLEM))
})

test("an answer that is not JSON is told as that, not as an outage", async () => {
  const answer = unwrap(Promise.reject(new SyntaxError("Unexpected token <")))
  await expect(answer).rejects.toThrow(/is not JSON/)
  await expect(answer).rejects.toThrow(ProblemError)
})

test.each([new TypeError("undefined is not a function"), new GatewayAway()])("%s stays what it is", async (error) => {
  await expect(unwrap(Promise.reject(error))).rejects.toBe(error)
})

test("what may pass: no answer, a status that says so, or a time to come back", () => {
  const headers = new Headers({ "Retry-After": "3" })
  const later = errorOf({ ...PROBLEM, status: 429 }, { status: 429, headers })
  expect(later).toMatchObject({ retryAfterMs: 3_000 })
  expect([new GatewayAway(), later].every(isPassing)).toBe(true)
  for (const status of [502, 503, 504]) expect(isPassing(new ProblemError({ ...PROBLEM, status }))).toBe(true)
  for (const status of [404, 422, 500]) expect(isPassing(new ProblemError({ ...PROBLEM, status }))).toBe(false)
  expect(isPassing(new Error("mistake"))).toBe(false)
})

test.each([
  ["3", 3_000],
  ["0", 0],
  ["Sun, 01 Mar 2026 12:00:05 GMT", 5_000],
  ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
  ["soon", null],
  [null, null],
])("Retry-After: %s", (field, wait) => {
  expect(waitOf(field, Date.parse("2026-03-01T12:00:00Z"))).toBe(wait)
})

test("an abandoned call is no outage", async () => {
  const abort = new DOMException("aborted", "AbortError")
  await expect(unwrap(Promise.reject(abort))).rejects.toBe(abort)
})

test("a proxy that cannot reach the gateway means the same as no answer", () => {
  expect(errorOf("<html>Bad gateway</html>", new Response(null, { status: 502 }))).toBeInstanceOf(GatewayAway)
})

test("a problem of the gateway itself is told, also with a status of 500 and more", () => {
  expect(errorOf({ ...PROBLEM, status: 503 }, new Response(null, { status: 503 }))).toBeInstanceOf(ProblemError)
})

test("an answer from elsewhere becomes a problem that says so", () => {
  const error = errorOf("forbidden", new Response(null, { status: 403, headers: { "X-Request-ID": "7" } }))
  expect(error).toMatchObject({ problem: { status: 403, code: "unexpected-answer", request_id: "7" } })
})
