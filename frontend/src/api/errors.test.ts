import { expect, test } from "vitest"
import type { Problem } from "@/api/errors"
import { GatewayAway, ProblemError, byField, errorOf, unwrap } from "@/api/errors"

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

test("success gives the data", async () => {
  const response = new Response()
  await expect(unwrap(Promise.resolve({ data: 5, response }))).resolves.toEqual({ data: 5, response })
})

test("a problem is thrown as such", async () => {
  const call = Promise.resolve({ error: PROBLEM, response: new Response(null, { status: 422 }) })
  await expect(unwrap(call)).rejects.toThrow(new ProblemError(PROBLEM))
})

test("no answer means that the gateway is away", async () => {
  await expect(unwrap(Promise.reject(new TypeError("Failed to fetch")))).rejects.toThrow(GatewayAway)
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
