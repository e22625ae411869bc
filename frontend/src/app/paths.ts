/** Where the pages are, below the page's own base path. */
export const paths = {
  create: "/",
  /** A pipeline's form, with the job that was run from it last. */
  pipeline: (type: string, run: string | null = null) =>
    `/?p=${encodeURIComponent(type)}${run === null ? "" : `&run=${encodeURIComponent(run)}`}`,
  /** A form that does the same as a job. */
  again: (job: string, type: string) => `/?p=${encodeURIComponent(type)}&from=${job}`,
  /** A form that takes one of a job's outputs as its input. */
  use: (job: string, output: string, type: string) => `/?p=${encodeURIComponent(type)}&from=${job}&use=${output}`,
  jobs: "/jobs",
  job: (id: string) => `/jobs/${id}`,
} as const
