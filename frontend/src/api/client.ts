import createClient from "openapi-fetch"
import type { components, paths } from "@/api/schema"

/** The gateway, at the page's own origin. */
export const api = createClient<paths>({ baseUrl: "" })

export type Job = components["schemas"]["JobView"]
export type JobStatus = components["schemas"]["JobStatus"]
export type Step = components["schemas"]["StepView"]
export type Attempt = components["schemas"]["AttemptView"]
export type Failure = components["schemas"]["ErrorView"]
export type Pipeline = components["schemas"]["PipelineView"]
export type Provider = components["schemas"]["ProviderView"]
export type Readiness = components["schemas"]["Readiness"]
