import createClient from "openapi-fetch"
import { GatewayAway } from "@/api/errors"
import type { components, paths } from "@/api/schema"

/** How long the gateway may take to answer in full; it answers at once, so one that takes longer hangs. */
const LIMIT_MS = 10_000
const HEALTH_LIMIT_MS = 5_000

/**
 * Sends a request and waits for the whole answer, whatever its status.
 *
 * @throws GatewayAway when the network fails or the answer takes too long
 * @throws DOMException "AbortError" when whoever asked has given up
 */
export async function send(request: Request): Promise<Response> {
  const limit = new URL(request.url).pathname === "/health" ? HEALTH_LIMIT_MS : LIMIT_MS
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limit)])
  try {
    const response = await fetch(request, { signal })
    const content = await response.blob()
    // Some statuses allow no body, not even an empty one.
    return new Response(content.size > 0 ? content : null, response)
  } catch (cause) {
    if (request.signal.aborted) throw cause
    throw new GatewayAway({ cause })
  }
}

/** The gateway, at the page's own origin. */
export const api = createClient<paths>({ baseUrl: "", fetch: send })

export type Job = components["schemas"]["JobView"]
export type JobStatus = components["schemas"]["JobStatus"]
export type Step = components["schemas"]["StepView"]
export type Attempt = components["schemas"]["AttemptView"]
export type Failure = components["schemas"]["ErrorView"]
export type Pipeline = components["schemas"]["PipelineView"]
export type Provider = components["schemas"]["ProviderView"]
export type Readiness = components["schemas"]["Readiness"]
