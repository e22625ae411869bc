import { QueryClientProvider } from "@tanstack/react-query"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { RouterProvider } from "react-router/dom"
import { queryClient } from "@/app/query-client"
import { router } from "@/app/router"
import "@/styles/app.css"

const root = document.getElementById("root")
if (root === null) throw new Error("The page has no element #root.")
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
