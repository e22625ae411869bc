import type { components } from "@/api/schema"

export type Problem = components["schemas"]["Problem"]

interface Reason extends ErrorOptions {
  /** For how long the answer asked to be left alone, null where it did not say. */
  retryAfterMs?: number | null
}

/** The gateway refused a request and says why. */
export class ProblemError extends Error {
  override name = "ProblemError"
  readonly retryAfterMs: number | null
  constructor(
    readonly problem: Problem,
    { retryAfterMs = null, ...options }: Reason = {},
  ) {
    super(problem.detail, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** The gateway did not answer: it is down, restarting, hanging, or cannot be reached from here. */
export class GatewayAway extends Error {
  override name = "GatewayAway"
  readonly retryAfterMs: number | null
  constructor({ retryAfterMs = null, ...options }: Reason = {}) {
    super("The gateway does not answer.", options)
    this.retryAfterMs = retryAfterMs
  }
}

/** Whether the same request may well succeed in a moment: nothing answered, or what did says so. */
export function isPassing(error: unknown): error is GatewayAway | ProblemError {
  if (error instanceof GatewayAway) return true
  if (!(error instanceof ProblemError)) return false
  return error.retryAfterMs !== null || [502, 503, 504].includes(error.problem.status)
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/**
 * The answer of a call with its data.
 *
 * @throws ProblemError when the gateway answered with an error, or something else with what is not JSON
 * @throws GatewayAway when it did not answer, or a proxy before it did
 */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<{ data: T; response: Response }> {
  const answer = await reach(call)
  if (answer.response.ok && answer.data !== undefined) return { data: answer.data, response: answer.response }
  throw errorOf(answer.error, answer.response)
}

/** The call's answer, whatever its status. */
export async function reach<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new ProblemError(unexpected(200, "is not JSON, so it does not come from the gateway"), { cause })
  }
}

/** What an answer that is no success means. */
export function errorOf(body: unknown, { status, headers }: Pick<Response, "status" | "headers">): Error {
  const retryAfterMs = waitOf(headers.get("Retry-After"))
  if (isProblem(body)) return new ProblemError(body, { retryAfterMs })
  if (status >= 500) return new GatewayAway({ retryAfterMs })
  const problem = unexpected(status, `has the status ${status} and does not come from the gateway`)
  return new ProblemError({ ...problem, request_id: headers.get("X-Request-ID") ?? "" }, { retryAfterMs })
}

/** Milliseconds that a `Retry-After` field asks to wait (RFC 9110, 10.2.3): seconds or a date; null for anything else. */
export function waitOf(field: string | null, now = Date.now()): number | null {
  if (field === null) return null
  const wait = /^\d+$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now
  return Number.isFinite(wait) ? Math.max(0, wait) : null
}

function unexpected(status: number, what: string): Problem {
  return {
    type: "about:blank",
    title: "Unexpected answer",
    status,
    code: "unexpected-answer",
    detail: `The answer ${what}.`,
    hint: "Something between this page and the gateway has sent it. Reload the page; a proxy may have its own log.",
    request_id: "",
    errors: [],
  }
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" &&
    body !== null &&
    "code" in body &&
    typeof body.code === "string" &&
    "detail" in body &&
    typeof body.detail === "string"
  )
}

/** Messages of a problem by the form field they belong to; what belongs to no field of `known` stands in `rest`. */
export function byField(problem: Problem, known: ReadonlySet<string>): { fields: Map<string, string>; rest: string[] } {
  const fields = new Map<string, string>()
  const rest: string[] = []
  for (const { field, message } of problem.errors) {
    const path = field.split(".").slice(0, 2).join(".")
    // What concerns the request as a whole names no field.
    if (!known.has(path)) rest.push(field === "" ? message : `${field}: ${message}`)
    else if (!fields.has(path)) fields.set(path, message)
  }
  return { fields, rest }
}
