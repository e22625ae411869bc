/** Where the pages are, below the page's own base path. */
export const paths = {
  create: "/",
  pipeline: (type: string) => `/?p=${encodeURIComponent(type)}`,
  /** A form that does the same as a job. */
  again: (job: string, type: string) => `/?p=${encodeURIComponent(type)}&from=${job}`,
  /** A form that takes one of a job's outputs as its input. */
  use: (job: string, output: string, type: string) => `/?p=${encodeURIComponent(type)}&from=${job}&use=${output}`,
  jobs: "/jobs",
  job: (id: string) => `/jobs/${id}`,
} as const
