/** Types of the API, generated from openapi.json by `npm run generate`. */

export interface paths {
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health
         * @description Says that the gateway lives.
         */
        get: operations["health_health_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Jobs
         * @description Lists jobs, newest first. The `Link` header leads to the next page.
         */
        get: operations["list_jobs_jobs_get"];
        put?: never;
        /**
         * Create Job
         * @description Accepts a job. It is durable when this answers, and runs as soon as its worker has a free slot.
         */
        post: operations["create_job_jobs_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Job
         * @description Looks up a job.
         */
        get: operations["get_job_jobs__job_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Job
         * @description Cancels a job. A running one is canceled within about a second; its provider is told where it can be.
         */
        post: operations["cancel_job_jobs__job_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Pipelines
         * @description Lists the pipelines with JSON Schemas of their inputs, options and outputs.
         */
        get: operations["list_pipelines_pipelines_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Providers
         * @description Lists the providers of every worker that answers, in the order in which they are asked.
         */
        get: operations["list_providers_providers_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ready
         * @description Says whether every worker answers, and names those that do not. Jobs are accepted in any case and wait.
         */
        get: operations["ready_ready_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/storage/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File
         * @description Serves a stored file, in ranges where asked.
         */
        get: operations["get_file_storage__key__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * AttemptState
         * @enum {string}
         */
        AttemptState: "intended" | "pending" | "succeeded" | "failed" | "not_sent" | "unknown";
        /**
         * AttemptView
         * @description One call of one provider.
         */
        AttemptView: {
            /**
             * Cost Microdollars
             * @description As the provider reported it; null when unknown.
             */
            cost_microdollars: number | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            error: components["schemas"]["ErrorView"] | null;
            /**
             * Model
             * @description As `provider:name`.
             */
            model: string;
            /** Number */
            number: number;
            /** Settled At */
            settled_at: string | null;
            status: components["schemas"]["AttemptState"];
            /** Warnings */
            warnings: string[];
        };
        /**
         * ErrorView
         * @description Why something failed.
         */
        ErrorView: {
            /** Code */
            code: string;
            /** Hint */
            hint: string;
            /** Message */
            message: string;
        };
        /**
         * FieldProblem
         * @description What is wrong with one part of the request.
         */
        FieldProblem: {
            /**
             * Field
             * @description Path of the part.
             * @example inputs.text
             */
            field: string;
            /** Message */
            message: string;
        };
        /**
         * Health
         * @description The gateway lives.
         */
        Health: {
            /**
             * Status
             * @default ok
             * @constant
             */
            status: "ok";
            /** Version */
            version: string;
        };
        /**
         * JobMetadata
         * @description What is known about a job beside its work.
         */
        JobMetadata: {
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /** Completed At */
            completed_at: string | null;
            /**
             * Cost Microdollars
             * @description Sum of what providers reported; null when any is unknown.
             */
            cost_microdollars: number | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            error: components["schemas"]["ErrorView"] | null;
            /** Error Message */
            error_message: string | null;
            /**
             * Provider
             * @description The providers that served it.
             * @example local
             */
            provider: string | null;
            /** Started At */
            started_at: string | null;
            /**
             * Waiting For
             * @description Why a queued job has not started, where something stands in its way.
             */
            waiting_for: string | null;
            /**
             * Warnings
             * @description What the providers could not honor.
             */
            warnings: string[];
            /**
             * Worker Used
             * @description The workers that served it.
             * @example llm, image
             */
            worker_used: string | null;
        };
        /**
         * JobOutputs
         * @description What a job has produced so far.
         */
        JobOutputs: {
            /** Audio Url */
            audio_url?: string | null;
            /**
             * Image Url
             * @example /storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png
             */
            image_url?: string | null;
            /** Text */
            text?: string | null;
        };
        /**
         * JobRequest
         * @description A job to be done.
         * @example {
         *       "inputs": {
         *         "text": "A beautiful sunset over mountains"
         *       },
         *       "options": {
         *         "quality": "high",
         *         "style": "cinematic"
         *       },
         *       "pipeline": "text_to_image"
         *     }
         */
        JobRequest: {
            /**
             * Inputs
             * @description `text`, `audio_url` or `image_url`, as the pipeline says.
             */
            inputs: {
                [key: string]: unknown;
            };
            /**
             * Options
             * @description As the pipeline says; null means the default.
             * @default {}
             */
            options: {
                [key: string]: unknown;
            };
            /**
             * Pipeline
             * @description One of the types that `GET /pipelines` lists.
             */
            pipeline: string;
        };
        /**
         * JobStatus
         * @enum {string}
         */
        JobStatus: "queued" | "running" | "completed" | "failed" | "canceled";
        /**
         * JobView
         * @description A job.
         */
        JobView: {
            /** Inputs */
            inputs: {
                [key: string]: unknown;
            };
            /** Job Id */
            job_id: string;
            metadata: components["schemas"]["JobMetadata"];
            /** Options */
            options: {
                [key: string]: unknown;
            };
            outputs: components["schemas"]["JobOutputs"];
            /** Pipeline */
            pipeline: string;
            status: components["schemas"]["JobStatus"];
            /** Steps */
            steps: components["schemas"]["StepView"][];
        };
        /**
         * OnError
         * @description What a failed step means for its job.
         * @enum {string}
         */
        OnError: "fail" | "continue";
        /**
         * PipelineList
         * @description All pipelines.
         */
        PipelineList: {
            /** Pipelines */
            pipelines: components["schemas"]["PipelineView"][];
        };
        /**
         * PipelineStepView
         * @description One capability call of a pipeline.
         */
        PipelineStepView: {
            /** Capability */
            capability: string;
            /** Name */
            name: string;
            /**
             * Needs
             * @description Steps that settle before it.
             */
            needs: string[];
            on_error: components["schemas"]["OnError"];
            /**
             * When
             * @description It is skipped unless this has a value.
             */
            when: string | null;
            /** Worker */
            worker: string;
        };
        /**
         * PipelineView
         * @description A pipeline with JSON Schemas of what its jobs take and give.
         */
        PipelineView: {
            /** Description */
            description: string;
            /**
             * Inputs
             * @description JSON Schema of a job's `inputs`.
             */
            inputs: {
                [key: string]: unknown;
            };
            /**
             * Options
             * @description JSON Schema of a job's `options`.
             */
            options: {
                [key: string]: unknown;
            };
            /**
             * Outputs
             * @description JSON Schema of a job's `outputs`.
             */
            outputs: {
                [key: string]: unknown;
            };
            /** Steps */
            steps: components["schemas"]["PipelineStepView"][];
            /** Type */
            type: string;
            /** Version */
            version: number;
        };
        /**
         * Problem
         * @description An error: a stable code, what happened, and what to do.
         * @example {
         *       "code": "unknown-pipeline",
         *       "detail": "There is no pipeline `text_to_video`.",
         *       "errors": [],
         *       "hint": "Pipelines are text_to_text, text_to_image, text_to_speech, speech_to_text, speech_to_image, image_to_image.",
         *       "request_id": "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55",
         *       "status": 422,
         *       "title": "Unknown pipeline",
         *       "type": "about:blank"
         *     }
         */
        Problem: {
            /**
             * Code
             * @description Stable; programs may rely on it.
             */
            code: string;
            /**
             * Detail
             * @description What happened.
             */
            detail: string;
            /**
             * Errors
             * @default []
             */
            errors: components["schemas"]["FieldProblem"][];
            /**
             * Hint
             * @description What to do about it.
             * @default
             */
            hint: string;
            /**
             * Request Id
             * @default
             */
            request_id: string;
            /** Status */
            status: number;
            /** Title */
            title: string;
            /**
             * Type
             * @default about:blank
             */
            type: string;
        };
        /**
         * ProviderList
         * @description All providers, by capability and in the order in which they are asked.
         */
        ProviderList: {
            /** Providers */
            providers: components["schemas"]["ProviderView"][];
        };
        /**
         * ProviderView
         * @description A provider of one capability.
         */
        ProviderView: {
            /**
             * Any Model
             * @description Whether other models of the provider can be named.
             */
            any_model: boolean;
            /** Capability */
            capability: string;
            /** Configured */
            configured: boolean;
            /**
             * Missing
             * @description What has to be set or installed when it is not configured.
             */
            missing: string;
            /**
             * Models
             * @description Known models as `provider:name`, the default first.
             */
            models: string[];
            /** Name */
            name: string;
        };
        /**
         * Readiness
         * @description Whether everything that jobs need is there.
         */
        Readiness: {
            /** Ready */
            ready: boolean;
            /** Workers */
            workers: components["schemas"]["WorkerStatus"][];
        };
        /**
         * StepState
         * @enum {string}
         */
        StepState: "waiting" | "running" | "done" | "failed" | "skipped";
        /**
         * StepView
         * @description One capability call of the pipeline.
         */
        StepView: {
            /** Attempts */
            attempts: components["schemas"]["AttemptView"][];
            /** Capability */
            capability: string;
            /** Completed At */
            completed_at: string | null;
            error: components["schemas"]["ErrorView"] | null;
            /** Name */
            name: string;
            /** Output */
            output: {
                [key: string]: unknown;
            } | null;
            /**
             * Retry At
             * @description When the next attempt is due, after a failed one.
             */
            retry_at: string | null;
            /** Started At */
            started_at: string | null;
            status: components["schemas"]["StepState"];
        };
        /**
         * WorkerStatus
         * @description Whether a worker answers.
         */
        WorkerStatus: {
            /** Capability */
            capability: string;
            /** Ready */
            ready: boolean;
            /**
             * Reason
             * @description Why it does not answer.
             */
            reason: string | null;
            /** Worker */
            worker: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    health_health_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    list_jobs_jobs_get: {
        parameters: {
            query?: {
                /** @description The last `job_id` of the page before. */
                cursor?: string | null;
                limit?: number;
                /** @description At most 10,000; go on with `cursor` beyond. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"][];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_job_jobs_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Request Entity Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job_jobs__job_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job_jobs__job_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_pipelines_pipelines_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineList"];
                };
            };
        };
    };
    list_providers_providers_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderList"];
                };
            };
        };
    };
    ready_ready_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    get_file_storage__key__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
