import { createBrowserRouter } from "react-router"
import { Layout } from "@/app/layout"
import { RouteError } from "@/app/route-error"
import { CreateRoute } from "@/app/routes/create"
import { JobRoute } from "@/app/routes/job"
import { JobsRoute } from "@/app/routes/jobs"
import { NotFoundRoute } from "@/app/routes/not-found"

/** The pages are few and small, so they come in one file: one that is fetched later would be missing while the gateway is away. */
export const router = createBrowserRouter(
  [
    {
      element: <Layout />,
      errorElement: <RouteError />,
      children: [
        {
          errorElement: <RouteError />,
          children: [
            { index: true, element: <CreateRoute /> },
            { path: "jobs", element: <JobsRoute /> },
            { path: "jobs/:id", element: <JobRoute /> },
            { path: "*", element: <NotFoundRoute /> },
          ],
        },
      ],
    },
  ],
  { basename: "/app/" },
)
