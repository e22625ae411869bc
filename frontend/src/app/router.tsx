import { createBrowserRouter } from "react-router"
import { Layout } from "@/app/layout"
import { queryClient } from "@/app/query-client"
import { RouteError } from "@/app/route-error"
import { CreateRoute } from "@/app/routes/create"
import { JobRoute } from "@/app/routes/job"
import { JobsRoute } from "@/app/routes/jobs"
import { NotFoundRoute } from "@/app/routes/not-found"
import { jobQueries } from "@/features/jobs/queries"
import { pipelinesQuery, providersQuery, readinessQuery } from "@/features/pipelines/queries"

/** The page asks for the same and shows what went wrong. */
function toldByThePage(): void {
  return
}

/**
 * Loaders only start what the pages then wait for, so that data and code arrive together and no failure blocks a page.
 * The pages are few and small, so they come in one file: one that is fetched later would be missing while the gateway is away.
 */
export const router = createBrowserRouter(
  [
    {
      element: <Layout />,
      HydrateFallback: () => null,
      errorElement: <RouteError />,
      children: [
        {
          errorElement: <RouteError />,
          children: [
            {
              index: true,
              element: <CreateRoute />,
              loader: () => {
                queryClient.query(pipelinesQuery).catch(toldByThePage)
                queryClient.query(providersQuery).catch(toldByThePage)
                queryClient.query(readinessQuery).catch(toldByThePage)
                queryClient.query(jobQueries.recent()).catch(toldByThePage)
                return null
              },
            },
            {
              path: "jobs",
              element: <JobsRoute />,
              loader: () => {
                queryClient.infiniteQuery(jobQueries.list()).catch(toldByThePage)
                return null
              },
            },
            {
              path: "jobs/:id",
              element: <JobRoute />,
              loader: ({ params }) => {
                queryClient.query(jobQueries.detail(params.id ?? "")).catch(toldByThePage)
                queryClient.query(pipelinesQuery).catch(toldByThePage)
                return null
              },
            },
            { path: "*", element: <NotFoundRoute /> },
          ],
        },
      ],
    },
  ],
  { basename: "/app/" },
)
