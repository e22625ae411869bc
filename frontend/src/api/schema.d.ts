/** Types of the API, generated from openapi.json by `npm run generate`. */

export interface paths {
    "/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Batch
         * @description Accepts up to 1,000 jobs, all or none: one that is wrong refuses all, and each error is named with its place, such
         *     as `jobs.3.inputs.text`. They are durable when this answers.
         */
        post: operations["create_batch_batches_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batches/{batch_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Batch
         * @description Looks up a batch: how many of its jobs have which status.
         */
        get: operations["get_batch_batches__batch_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batches/{batch_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Batch
         * @description Cancels the jobs of a batch that have not ended; running ones are canceled within about a second.
         */
        post: operations["cancel_batch_batches__batch_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All Events
         * @description Follows all jobs: server-sent events, without pieces of text and without an end.
         *
         *     A WebSocket at the same path gives the same as JSON messages; its first, `stream-opened`, has the cursor of its
         *     beginning.
         */
        get: operations["all_events_events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Files
         * @description Lists files, newest first. The `Link` header leads to the next page, with the same filters.
         */
        get: operations["list_files_files_get"];
        put?: never;
        /**
         * Upload File
         * @description Takes an image or a recording, of which the content alone tells the type: as the whole body, or as the part `file`
         *     of a form. It is stored durably when this answers, and its `details` follow a moment later.
         *
         *     `url`, or the id as `image_file` or `audio_file`, is what jobs take as an input.
         */
        post: operations["upload_file_files_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File
         * @description Looks up a file.
         */
        get: operations["get_file_files__file_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete File
         * @description Deletes a file for good, with all that was made of it. One that a job still needs is a conflict.
         */
        delete: operations["delete_file_files__file_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change File
         * @description Changes when a file is deleted. A file that a job still needs is kept until that is over.
         */
        patch: operations["change_file_files__file_id__patch"];
        trace?: never;
    };
    "/files/{file_id}/complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Complete File
         * @description Says that the content of an announced file was sent. It may be said again.
         */
        post: operations["complete_file_files__file_id__complete_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file_id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File Content
         * @description Serves the content of a file by its id; it is saved under the file's own name.
         */
        get: operations["get_file_content_files__file_id__content_get"];
        /**
         * Send Content
         * @description Takes the content of an announced file; the URL is the one that `POST /files/presign` gave.
         */
        put: operations["send_content_files__file_id__content_put"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file_id}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Share File
         * @description Makes a link to a file's content that anybody can open until its time is over. `?download=1` may be added to it.
         */
        post: operations["share_file_files__file_id__links_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file_id}/peaks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Peaks
         * @description Serves the waveform of a recording: the lowest and the highest value of each of its equal parts, as JSON.
         */
        get: operations["get_peaks_files__file_id__peaks_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{file_id}/thumbnails/{width}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Thumbnail
         * @description Serves a smaller copy of an image, in WebP.
         */
        get: operations["get_thumbnail_files__file_id__thumbnails__width__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/presign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Presign File
         * @description Announces a file whose content is sent afterwards with the request that `upload` describes: to this API, or straight
         *     to an S3 store. Make the request `complete` then, and within the hours that the store keeps what nobody completes.
         */
        post: operations["presign_file_files_presign_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
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
         * @description Lists jobs, newest first. The `Link` header leads to the next page, with the same filters; a page may be short, or
         *     empty, and yet not the last.
         */
        get: operations["list_jobs_jobs_get"];
        put?: never;
        /**
         * Create Job
         * @description Accepts a job. It is durable when this answers, and runs as soon as its worker has a free slot.
         *
         *     The header `Idempotency-Replayed: true` says that the job was accepted before, under the same key.
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
         * @description Looks up a job. A queued one shows its place in the queue.
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
    "/jobs/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Job Events
         * @description Follows a job: server-sent events with what has happened, then with what happens, until it has ended.
         *
         *     Pieces of generated text come as `text-delta`, without an id. A WebSocket at the same path gives the same as JSON
         *     messages.
         */
        get: operations["job_events_jobs__job_id__events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Job
         * @description Queues a failed or canceled job again. What its steps have done is kept, and only the rest is done.
         *
         *     It starts at once, whatever its `not_before` was, and has no deadlines any more.
         *
         *     When nobody knows whether an earlier call was charged, this is a conflict unless `resend` is set.
         */
        post: operations["retry_job_jobs__job_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/estimate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Estimate Job
         * @description Estimates what a job would cost; takes what `POST /jobs` takes, and stores nothing.
         *
         *     What is not known before the job is done is assumed, as `notes` say; architecture/02-money.md lists the assumptions.
         */
        post: operations["estimate_job_jobs_estimate_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume Jobs
         * @description Lets all jobs go on that wait for a word since a backup was restored. They may have run since it was made.
         */
        post: operations["resume_jobs_jobs_resume_post"];
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
         * @description Lists the providers of every worker that answers, how their models have done, and the chains they stand in.
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
         * @description Says whether the ledger and every worker answer, the store takes files and somebody runs jobs, and why not. While
         *     workers or executors are missing, jobs are accepted and wait.
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
         * Get Content
         * @description Serves the content of a file: whole or a range of it, unless the client has it already. It never changes.
         */
        get: operations["get_content_storage__key__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Usage
         * @description Adds up the calls of providers, up to 366 days at once: how many there were, how they ended, and what they cost.
         */
        get: operations["get_usage_usage_get"];
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
             * @description Null when unknown.
             */
            cost_microdollars: number | null;
            /** @description Who says so: the provider for this call, the operator's table of prices, or the shipped catalog. */
            cost_source: components["schemas"]["CostSource"] | null;
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
            /**
             * Quantities
             * @description What the provider charges by, as exact decimal numbers.
             * @example {
             *       "characters": "120"
             *     }
             */
            quantities: {
                [key: string]: string;
            };
            /** Settled At */
            settled_at: string | null;
            status: components["schemas"]["AttemptState"];
            /** Warnings */
            warnings: string[];
        };
        /**
         * BatchCounts
         * @description How many jobs of a batch have each status.
         */
        BatchCounts: {
            /** Canceled */
            canceled: number;
            /** Completed */
            completed: number;
            /** Failed */
            failed: number;
            /** Queued */
            queued: number;
            /** Running */
            running: number;
        };
        /**
         * BatchRequest
         * @description Jobs that are accepted together, all or none.
         * @example {
         *       "jobs": [
         *         {
         *           "inputs": {
         *             "text": "A haiku about the sea"
         *           },
         *           "pipeline": "text_to_text"
         *         },
         *         {
         *           "inputs": {
         *             "text": "The sea"
         *           },
         *           "pipeline": "text_to_image",
         *           "priority": 10
         *         }
         *       ]
         *     }
         */
        BatchRequest: {
            /** Jobs */
            jobs: components["schemas"]["JobRequest"][];
        };
        /**
         * BatchStatus
         * @description What a batch's jobs come to.
         * @enum {string}
         */
        BatchStatus: "queued" | "running" | "completed" | "failed" | "canceled";
        /**
         * BatchView
         * @description Jobs that were accepted together; `GET /jobs?batch_id=…` lists them.
         */
        BatchView: {
            /** Batch Id */
            batch_id: string;
            counts: components["schemas"]["BatchCounts"];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Size
             * @description How many jobs there are.
             */
            size: number;
            /** @description `queued` until one starts, `running` until all have ended; then `failed` if any has failed, else `canceled` if any was canceled, else `completed`. */
            status: components["schemas"]["BatchStatus"];
        };
        /**
         * BreakerState
         * @enum {string}
         */
        BreakerState: "closed" | "open" | "trial";
        /**
         * ChainLinkView
         * @description A model of a chain.
         */
        ChainLinkView: {
            /**
             * Group
             * @description Models of one group share the load; the next group is asked when they cannot serve.
             */
            group: number;
            /**
             * Model
             * @description As `provider:name`.
             */
            model: string;
            /**
             * Usable
             * @description Whether its provider is configured.
             */
            usable: boolean;
            /** Weight */
            weight: number;
        };
        /**
         * ChainView
         * @description The models that the steps of one capability are tried with which name none, in order.
         */
        ChainView: {
            /** Capability */
            capability: string;
            /** Links */
            links: components["schemas"]["ChainLinkView"][];
        };
        /**
         * CompletionView
         * @description A request that says that the content was sent.
         */
        CompletionView: {
            /**
             * Method
             * @example POST
             */
            method: string;
            /**
             * Url
             * @example /files/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/complete
             */
            url: string;
        };
        /**
         * CostSource
         * @description Who says what something costs.
         * @enum {string}
         */
        CostSource: "provider" | "operator" | "catalog";
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
         * EstimateView
         * @description What a job is expected to cost, if each step succeeds at once.
         */
        EstimateView: {
            /**
             * At Most Microdollars
             * @description What one attempt of each step surely does not exceed, if bounded.
             */
            at_most_microdollars: number | null;
            /**
             * Cost Known Microdollars
             * @description Sum of what is known.
             */
            cost_known_microdollars: number;
            /**
             * Cost Microdollars
             * @description Null when that of a step is not known.
             */
            cost_microdollars: number | null;
            /** Steps */
            steps: components["schemas"]["StepEstimateView"][];
        };
        /**
         * EventType
         * @enum {string}
         */
        EventType: "job-queued" | "job-retried" | "job-started" | "job-completed" | "job-failed" | "job-canceled" | "step-started" | "step-retried" | "step-divided" | "step-pending" | "step-completed" | "step-failed" | "step-skipped";
        /**
         * EventView
         * @description Something that happened to a job.
         */
        EventView: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /**
             * Cursor
             * @description Its place among all events of the organization.
             */
            cursor: string;
            /**
             * Data
             * @description What the type says more.
             * @example {
             *       "step": "generate"
             *     }
             */
            data: {
                [key: string]: unknown;
            };
            /** Job Id */
            job_id: string;
            /**
             * Seq
             * @description Counts from 1 within the job, without gaps.
             */
            seq: number;
            type: components["schemas"]["EventType"];
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
         * FileChange
         * @description What is to change about a file.
         * @example {
         *       "expires_at": "2027-01-31T18:00:00Z"
         *     }
         */
        FileChange: {
            /**
             * Expires At
             * @description When it is deleted (RFC 3339, with its offset from UTC); null for as the operator has set, or never.
             */
            expires_at: string | null;
        };
        /**
         * FileDetails
         * @description What was found in the content; null is what does not apply, or is not known.
         */
        FileDetails: {
            /** Channels */
            channels: number | null;
            /**
             * Codec
             * @example pcm_s16le
             */
            codec: string | null;
            /** Duration Seconds */
            duration_seconds: number | null;
            /**
             * Frames
             * @description Of an animation; 1 for a still image.
             */
            frames: number | null;
            /** Height */
            height: number | null;
            /**
             * Sample Rate
             * @description In Hertz.
             */
            sample_rate: number | null;
            /**
             * Width
             * @description In pixels, as the image is to be shown.
             */
            width: number | null;
        };
        /**
         * FileSource
         * @description Where a file comes from.
         * @enum {string}
         */
        FileSource: "upload" | "job";
        /**
         * FileState
         * @description Where a file stands.
         * @enum {string}
         */
        FileState: "waiting" | "ready" | "deleted";
        /**
         * FileView
         * @description A file.
         */
        FileView: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** @description Null until the content has been examined, seconds after it has come. */
            details: components["schemas"]["FileDetails"] | null;
            /**
             * Expires At
             * @description When it is deleted; null for as the operator has set, or never.
             */
            expires_at: string | null;
            /**
             * Id
             * @description Jobs take it as `image_file` or `audio_file`.
             * @example 01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55
             */
            id: string;
            /**
             * Job
             * @description The job that has made it.
             */
            job: string | null;
            /**
             * Media Type
             * @description Found in its content; of a waiting file, as it was announced.
             * @example image/jpeg
             */
            media_type: string;
            /** Name */
            name: string;
            /**
             * Peaks
             * @description The waveform of a recording, as JSON.
             * @example /storage/peaks/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.json
             */
            peaks: string | null;
            /**
             * Problem
             * @description Why its content cannot be used, where that is so.
             */
            problem: string | null;
            /**
             * Sha256
             * @description In hexadecimal; null until it is known.
             */
            sha256: string | null;
            /**
             * Size
             * @description In bytes; null until it is known.
             */
            size: number | null;
            source: components["schemas"]["FileSource"];
            state: components["schemas"]["FileState"];
            /**
             * Thumbnails
             * @description Smaller copies of an image, by the most pixels that they are wide.
             * @example {
             *       "320": "/storage/thumbnails/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55-320.webp"
             *     }
             */
            thumbnails: {
                [key: string]: string;
            };
            /**
             * Url
             * @description Where its content is served; null while that is still to be sent.
             * @example /storage/uploads/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.jpg
             */
            url: string | null;
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
            /**
             * Batch Id
             * @description The batch that it was accepted with.
             */
            batch_id: string | null;
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /** Completed At */
            completed_at: string | null;
            /**
             * Cost Known Microdollars
             * @description Sum of the costs that are known.
             */
            cost_known_microdollars: number;
            /**
             * Cost Microdollars
             * @description Sum of all attempts; null when any is unknown.
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
             * Finish By
             * @description It fails unless it has ended by then.
             */
            finish_by: string | null;
            /**
             * Max Cost Microdollars
             * @description What the job may cost.
             */
            max_cost_microdollars: number | null;
            /**
             * Not Before
             * @description A queued job does not go on before this moment: its start is delayed, or a failed attempt's next is.
             */
            not_before: string | null;
            on_ambiguous: components["schemas"]["OnAmbiguous"];
            /** Priority */
            priority: number;
            /**
             * Provider
             * @description The providers that served it.
             * @example local
             */
            provider: string | null;
            /** @description Where a queued job stands; shown by `GET /jobs/{job_id}` alone. */
            queue: components["schemas"]["QueueView"] | null;
            /**
             * Retried At
             * @description When it was last retried by hand.
             */
            retried_at: string | null;
            /**
             * Start By
             * @description It fails unless it has started by then.
             */
            start_by: string | null;
            /** Started At */
            started_at: string | null;
            /**
             * Waiting For
             * @description Why a queued job has not started, or a running one does not go on; null where nothing is known to stand in its way.
             * @example The llm worker is missing: it does not answer.
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
            audio_url: string | null;
            /**
             * Image Url
             * @example /storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png
             */
            image_url: string | null;
            /**
             * Subtitles
             * @description Of a transcription, where they were asked for.
             */
            subtitles: string | null;
            /** Text */
            text: string | null;
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
             * Finish Within Seconds
             * @description The job fails with `deadline-passed` unless it has ended this long after its submission.
             */
            finish_within_seconds?: number | null;
            /**
             * Inputs
             * @description `text`, `audio_url` or `image_url`, as the pipeline says.
             */
            inputs: {
                [key: string]: unknown;
            };
            /**
             * Max Cost
             * @description US dollars that the job may cost, as a number or as text, which is exact however long it is. A job that is expected to cost more is refused with `too-expensive`, and one of which nobody knows the cost with `unknown-price`; before each call that may exceed it, the step fails with `max-cost-reached`.
             * @example 0.25
             */
            max_cost?: string | number | null;
            /**
             * Not Before
             * @description The job does not start before this moment (RFC 3339, with its offset from UTC). A retry forgets it.
             * @example 2027-01-31T18:00:00Z
             */
            not_before?: string | null;
            /**
             * @description What follows when nobody knows whether a paid call was made: the job fails, and can be retried by hand; or the call is made again, and may then be paid twice.
             * @default fail
             */
            on_ambiguous: components["schemas"]["OnAmbiguous"];
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
            /**
             * Priority
             * @description Jobs of a higher one go first among those of the same organization.
             * @default 0
             */
            priority: number;
            /**
             * Start Within Seconds
             * @description The job fails with `start-deadline-passed` unless it has started this long after its submission.
             */
            start_within_seconds?: number | null;
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
         * LedgerStatus
         * @description Whether the ledger of jobs answers.
         */
        LedgerStatus: {
            /** Ready */
            ready: boolean;
            /**
             * Reason
             * @description Why it does not answer; or, while it does, what single changes wait for.
             */
            reason: string | null;
        };
        /**
         * LinkRequest
         * @description How long a link is good.
         * @example {
         *       "expires_in": 86400
         *     }
         */
        LinkRequest: {
            /**
             * Expires In
             * @description In seconds.
             * @default 86400
             */
            expires_in: number;
        };
        /**
         * LinkView
         * @description A link that opens a file to whoever has it.
         */
        LinkView: {
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /**
             * Url
             * @description Relative to this API.
             */
            url: string;
        };
        /**
         * ModelHealthView
         * @description How a model has done since the gateway's process has started, as it has seen it.
         */
        ModelHealthView: {
            /** @description `open` while it rests because it failed several times in a row; `trial` until the next call decides. */
            breaker: components["schemas"]["BreakerState"];
            /** Calls */
            calls: number;
            /** Failures */
            failures: number;
            last_error: components["schemas"]["ErrorView"] | null;
            /** Last Failure At */
            last_failure_at: string | null;
            /** Last Success At */
            last_success_at: string | null;
            /**
             * Latency Ms
             * @description Of calls that succeeded; a moving average.
             */
            latency_ms: number | null;
            /**
             * Model
             * @description As `provider:name`.
             */
            model: string;
            /** Rests Until */
            rests_until: string | null;
        };
        /**
         * OnAmbiguous
         * @description What follows when nobody knows whether a paid call was made.
         * @enum {string}
         */
        OnAmbiguous: "fail" | "resend";
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
         * PresignRequest
         * @description A file whose content is sent later.
         * @example {
         *       "media_type": "audio/mpeg",
         *       "name": "talk.mp3",
         *       "size": 734003200
         *     }
         */
        PresignRequest: {
            /**
             * Expires In
             * @description Seconds after its arrival at which the file is deleted; else as the operator has set.
             * @example 86400
             */
            expires_in?: number | null;
            /**
             * Media Type
             * @description Of an image or a recording; what it is, is found in the content.
             * @example audio/mpeg
             */
            media_type: string;
            /**
             * Name
             * @description What people call it; it need not be unique.
             * @default
             * @example holiday.jpg
             */
            name: string;
            /**
             * Seconds
             * @description For how long the content can be sent.
             * @default 3600
             * @example 3600
             */
            seconds: number;
            /**
             * Size
             * @description In bytes, so that one that is too large is refused at once. An S3 store takes nothing of another size then, and otherwise tells what is too large when all of it has come.
             */
            size?: number | null;
        };
        /**
         * PresignView
         * @description A file that waits for its content, and how to send that.
         */
        PresignView: {
            /** @description To be made when the content was sent. */
            complete: components["schemas"]["CompletionView"];
            file: components["schemas"]["FileView"];
            upload: components["schemas"]["UploadRequestView"];
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
         * ProviderClass
         * @description What a provider lets us do about a call whose outcome is in doubt.
         * @enum {string}
         */
        ProviderClass: "repeatable" | "keyed" | "handle" | "opaque";
        /**
         * ProviderList
         * @description All providers by capability, and the chains of models that steps are tried with which name none.
         */
        ProviderList: {
            /** Chains */
            chains: components["schemas"]["ChainView"][];
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
             * Health
             * @description Of its models that have been asked.
             */
            health: components["schemas"]["ModelHealthView"][];
            /** @description What is done about a call whose outcome is in doubt: `repeatable` calls are free and made again, `keyed` ones are sent again under the same key, a `handle` is asked for, and of `opaque` ones nobody knows. */
            in_doubt: components["schemas"]["ProviderClass"];
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
            /**
             * Slots
             * @description Calls that it may have under way at once.
             */
            slots: number;
        };
        /**
         * QueueView
         * @description Where a queued job stands.
         */
        QueueView: {
            /**
             * Estimated Start At
             * @description Judged by recent jobs; null without any.
             */
            estimated_start_at: string | null;
            /**
             * Position
             * @description Jobs of the organization that start before it.
             * @example 3
             */
            position: number;
            /**
             * Position Is Minimum
             * @description There are more of them, but no more were counted.
             */
            position_is_minimum: boolean;
            /**
             * Reason
             * @description Why it waits, where something stands in its way.
             * @example All slots of text are busy.
             */
            reason: string | null;
        };
        /**
         * Readiness
         * @description Whether everything that jobs need is there.
         */
        Readiness: {
            /**
             * Executors
             * @description How many executors are alive, in whichever process; without one, jobs wait. Null when the ledger does not answer.
             */
            executors: number | null;
            ledger: components["schemas"]["LedgerStatus"];
            /** Ready */
            ready: boolean;
            /** @description As of the last trial, half a minute ago at most. Null where no files are taken, as by an executor. */
            store: components["schemas"]["StoreStatus"] | null;
            /** Workers */
            workers: components["schemas"]["WorkerStatus"][];
        };
        /**
         * ResumedView
         * @description What the word has done.
         */
        ResumedView: {
            /**
             * Resumed
             * @description Jobs that go on.
             * @example 12
             */
            resumed: number;
        };
        /**
         * RetryRequest
         * @description How a job is to be retried.
         * @example {
         *       "resend": true
         *     }
         */
        RetryRequest: {
            /**
             * Resend
             * @description Go on although nobody knows what an earlier call came to; it may then be paid twice.
             * @default false
             */
            resend: boolean;
        };
        /**
         * StepEstimateView
         * @description What one step is expected to cost: one attempt with the first model of its chain.
         */
        StepEstimateView: {
            /**
             * At Most Microdollars
             * @description What it surely does not exceed; null where nothing bounds it.
             */
            at_most_microdollars: number | null;
            /** Capability */
            capability: string;
            /**
             * Cost Microdollars
             * @description Null when nobody knows what the model charges.
             */
            cost_microdollars: number | null;
            /** @description Who says what the model charges. */
            cost_source: components["schemas"]["CostSource"] | null;
            /**
             * Model
             * @description As `provider:name`; null where nobody can say who would serve it.
             */
            model: string | null;
            /**
             * Notes
             * @description What was assumed, or why the cost is not known.
             */
            notes: string[];
            /**
             * Quantities
             * @description By unit, as exact decimal numbers.
             * @example {
             *       "input_tokens": "12",
             *       "output_tokens": "40"
             *     }
             */
            quantities: {
                [key: string]: string;
            };
            /** Step */
            step: string;
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
            /**
             * Cost Microdollars
             * @description Sum of its attempts; null when any is unknown, or there is none.
             */
            cost_microdollars: number | null;
            error: components["schemas"]["ErrorView"] | null;
            /** Name */
            name: string;
            /** Output */
            output: {
                [key: string]: unknown;
            } | null;
            /**
             * Part Of
             * @description The step of which this is a part, where that was too long for one call.
             * @example speak
             */
            part_of: string | null;
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
         * StoreStatus
         * @description Whether the store takes files.
         */
        StoreStatus: {
            /** Ready */
            ready: boolean;
            /**
             * Reason
             * @description Why it cannot be written to.
             */
            reason: string | null;
        };
        /**
         * StreamView
         * @description The first message of a WebSocket of all jobs: from where it can be continued.
         */
        StreamView: {
            /** Cursor */
            cursor: string;
            /**
             * Type
             * @constant
             */
            type: "stream-opened";
        };
        /**
         * TextDeltaView
         * @description A piece of the text that a job is writing; a piece of another attempt begins the step's text anew.
         *
         *     Pieces are not kept: who comes later gets what is written so far as one piece, and the whole is in the job's output.
         */
        TextDeltaView: {
            /** Attempt */
            attempt: string;
            /** Job Id */
            job_id: string;
            /**
             * Offset
             * @description Characters of the attempt's text before it.
             */
            offset: number;
            /** Step */
            step: string;
            /** Text */
            text: string;
            /**
             * Type
             * @constant
             */
            type: "text-delta";
        };
        /**
         * UploadRequestView
         * @description A request that sends a content.
         */
        UploadRequestView: {
            /**
             * Expires At
             * Format: date-time
             * @description When it is refused.
             */
            expires_at: string;
            /**
             * Headers
             * @description To be sent as they are.
             */
            headers: {
                [key: string]: string;
            };
            /**
             * Method
             * @example PUT
             */
            method: string;
            /**
             * Url
             * @description Relative to this API, or at the store itself.
             */
            url: string;
        };
        /**
         * UsageKey
         * @description What calls are grouped by.
         * @enum {string}
         */
        UsageKey: "day" | "provider" | "model";
        /**
         * UsageRow
         * @description A group of calls; those that were never sent are none.
         */
        UsageRow: {
            /**
             * Calls
             * @description All of them, those under way included.
             */
            calls: number;
            /**
             * Cost Known Microdollars
             * @description Sum of the costs that are known.
             */
            cost_known_microdollars: number;
            /**
             * Cost Unknown Calls
             * @description Calls whose cost is not known.
             */
            cost_unknown_calls: number;
            /**
             * Day
             * @description On which the calls were begun; null unless grouped by it.
             */
            day: string | null;
            /** Failed */
            failed: number;
            /**
             * Model
             * @description As `provider:name`.
             */
            model: string | null;
            /** Provider */
            provider: string | null;
            /**
             * Quantities
             * @description By unit, as exact decimal numbers.
             * @example {
             *       "input_tokens": "12",
             *       "output_tokens": "40"
             *     }
             */
            quantities: {
                [key: string]: string;
            };
            /** Succeeded */
            succeeded: number;
            /**
             * Unknown
             * @description Calls of which nobody knows whether they were made.
             */
            unknown: number;
        };
        /**
         * UsageView
         * @description What the organization's calls have come to.
         */
        UsageView: {
            /**
             * From
             * Format: date
             */
            from: string;
            /** Group By */
            group_by: components["schemas"]["UsageKey"][];
            /**
             * Rows
             * @description In the order of day, provider and model.
             */
            rows: components["schemas"]["UsageRow"][];
            /**
             * To
             * Format: date
             */
            to: string;
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
    create_batch_batches_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes it safe to repeat the request: the same key with the same body gives the job that was accepted first, and with another body the problem `idempotency-conflict`. */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchView"];
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
            /** @description Unsupported Media Type */
            415: {
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
    get_batch_batches__batch_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch_id: string;
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
                    "application/json": components["schemas"]["BatchView"];
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
    cancel_batch_batches__batch_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch_id: string;
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
                    "application/json": components["schemas"]["BatchView"];
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
    all_events_events_get: {
        parameters: {
            query?: {
                /** @description The `cursor` of the last event that was seen, or `beginning`; without it, what happens from now on. */
                after?: string | null;
            };
            header?: {
                /** @description As `after`, which it comes before: browsers send it by themselves. */
                "last-event-id"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events; the data of each is EventView. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
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
    list_files_files_get: {
        parameters: {
            query?: {
                /** @description As the `Link` of the page before says. */
                cursor?: string | null;
                /** @description What it is. */
                family?: ("image" | "audio") | null;
                /** @description The job that has made it. */
                job?: string | null;
                limit?: number;
                /** @description Occurs in the name, whatever the case of its letters. */
                q?: string | null;
                /** @description Where it comes from. */
                source?: components["schemas"]["FileSource"] | null;
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
                    "application/json": components["schemas"]["FileView"][];
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
    upload_file_files_post: {
        parameters: {
            query?: {
                /** @description Seconds after its arrival at which the file is deleted; else as the operator has set. */
                expires_in?: number | null;
                /** @description What people call it; it need not be unique. */
                name?: string;
                /** @description Store it without what its metadata tell, such as where a picture was taken. An image is encoded anew. */
                strip_metadata?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
                "multipart/form-data": {
                    expires_in?: number;
                    /** Format: binary */
                    file: string;
                    /** @description What people call it; else what the form says. */
                    name?: string;
                    /** @default false */
                    strip_metadata?: boolean;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileView"];
                };
            };
            /** @description Request Timeout */
            408: {
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
            /** @description Unsupported Media Type */
            415: {
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
    get_file_files__file_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
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
                    "application/json": components["schemas"]["FileView"];
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
            /** @description Gone */
            410: {
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
    delete_file_files__file_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
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
    change_file_files__file_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FileChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileView"];
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
            /** @description Gone */
            410: {
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
    complete_file_files__file_id__complete_post: {
        parameters: {
            query?: {
                /** @description Seconds after its arrival at which the file is deleted; else as the operator has set. */
                expires_in?: number | null;
            };
            header?: never;
            path: {
                file_id: string;
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
                    "application/json": components["schemas"]["FileView"];
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
            /** @description Gone */
            410: {
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
            /** @description Unsupported Media Type */
            415: {
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
    get_file_content_files__file_id__content_get: {
        parameters: {
            query?: {
                /** @description 1 for saving it instead of showing it; any other text is the name to save it under. */
                download?: string | null;
            };
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part of it that the header Range asks for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It is the one that the client has */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Where the store itself serves it */
            307: {
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
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Gone */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Requested Range Not Satisfiable */
            416: {
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
    send_content_files__file_id__content_put: {
        parameters: {
            query: {
                expires: number;
                /** @description Seconds after its arrival at which the file is deleted; else as the operator has set. */
                expires_in?: number | null;
                signature: string;
            };
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FileView"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
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
            /** @description Request Timeout */
            408: {
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
            /** @description Gone */
            410: {
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
            /** @description Unsupported Media Type */
            415: {
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
    share_file_files__file_id__links_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LinkRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
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
            /** @description Gone */
            410: {
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
    get_peaks_files__file_id__peaks_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part of it that the header Range asks for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It is the one that the client has */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Where the store itself serves it */
            307: {
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
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Gone */
            410: {
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
    get_thumbnail_files__file_id__thumbnails__width__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
                width: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part of it that the header Range asks for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It is the one that the client has */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Where the store itself serves it */
            307: {
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
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Gone */
            410: {
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
    presign_file_files_presign_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PresignRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PresignView"];
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
            /** @description Unsupported Media Type */
            415: {
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
                batch_id?: string | null;
                /** @description RFC 3339, with its offset from UTC. */
                created_before?: string | null;
                /** @description RFC 3339, with its offset from UTC. */
                created_from?: string | null;
                /** @description As the `Link` of the page before says: its last `job_id`. */
                cursor?: string | null;
                limit?: number;
                /** @description At most 10,000; go on with `cursor` beyond. */
                offset?: number;
                pipeline?: string | null;
                status?: components["schemas"]["JobStatus"] | null;
                /** @description Occurs in the inputs, whatever the case of its letters. */
                text?: string | null;
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
    create_job_jobs_post: {
        parameters: {
            query?: {
                /** @description Answer when the job has ended, or after this many seconds with the job as it is then. */
                wait?: number | null;
            };
            header?: {
                /** @description Makes it safe to repeat the request: the same key with the same body gives the job that was accepted first, and with another body the problem `idempotency-conflict`. */
                "idempotency-key"?: string | null;
                /** @description `wait=n` does as the parameter `wait` does (RFC 7240). */
                prefer?: string | null;
            };
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
            /** @description Unsupported Media Type */
            415: {
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
            query?: {
                /** @description Answer when the job has ended, or after this many seconds with the job as it is then. */
                wait?: number | null;
            };
            header?: {
                /** @description `wait=n` does as the parameter `wait` does (RFC 7240). */
                prefer?: string | null;
            };
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
    job_events_jobs__job_id__events_get: {
        parameters: {
            query?: {
                /** @description The `seq` of the last event that was seen; 0 for none. */
                after?: string | null;
            };
            header?: {
                /** @description As `after`, which it comes before: browsers send it by themselves. */
                "last-event-id"?: string | null;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events; the data of each is EventView or TextDeltaView. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description The job is over, and nothing follows what was seen. */
            204: {
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
    retry_job_jobs__job_id__retry_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryRequest"] | null;
            };
        };
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
    estimate_job_jobs_estimate_post: {
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
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EstimateView"];
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
            /** @description Unsupported Media Type */
            415: {
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
    resume_jobs_jobs_resume_post: {
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
                    "application/json": components["schemas"]["ResumedView"];
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
    get_content_storage__key__get: {
        parameters: {
            query?: {
                /** @description 1 for saving it instead of showing it; any other text is the name to save it under. */
                download?: string | null;
                /** @description Of a signed link. */
                expires?: number | null;
                /** @description Of a signed link. */
                signature?: string | null;
            };
            header?: never;
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part of it that the header Range asks for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It is the one that the client has */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Where the store itself serves it */
            307: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
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
            /** @description Requested Range Not Satisfiable */
            416: {
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
    get_usage_usage_get: {
        parameters: {
            query?: {
                /** @description First day of UTC; by default 30 days up to `to`. */
                from?: string | null;
                /** @description Any of `day`, `provider` and `model`. */
                group_by?: components["schemas"]["UsageKey"][];
                /** @description Last day of UTC, included; today by default. */
                to?: string | null;
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
                    "application/json": components["schemas"]["UsageView"];
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
}
