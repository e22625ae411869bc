import type { components } from "@/api/schema"

export type Problem = components["schemas"]["Problem"]

/** The gateway refused a request and says why. */
export class ProblemError extends Error {
  override name = "ProblemError"
  constructor(readonly problem: Problem) {
    super(problem.detail)
  }
}

/** The gateway did not answer: it is down, restarting, or cannot be reached from here. */
export class GatewayAway extends Error {
  override name = "GatewayAway"
  constructor(options?: ErrorOptions) {
    super("The gateway does not answer.", options)
  }
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/**
 * The answer of a call with its data.
 *
 * @throws ProblemError when the gateway answered with an error
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
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error
    throw new GatewayAway({ cause: error })
  }
}

/** What an answer that is no success means. */
export function errorOf(body: unknown, response: Pick<Response, "status" | "headers">): Error {
  if (isProblem(body)) return new ProblemError(body)
  if (response.status >= 500) return new GatewayAway()
  return new ProblemError({
    type: "about:blank",
    title: "Unexpected answer",
    status: response.status,
    code: "unexpected-answer",
    detail: `Something between this page and the gateway answered with status ${response.status}.`,
    hint: "Reload the page; a proxy in between may have its own log.",
    request_id: response.headers.get("X-Request-ID") ?? "",
    errors: [],
  })
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
    if (!known.has(path)) rest.push(`${field}: ${message}`)
    else if (!fields.has(path)) fields.set(path, message)
  }
  return { fields, rest }
}
