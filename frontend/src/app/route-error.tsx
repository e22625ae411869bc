import { useRouteError } from "react-router"
import { Button } from "@/components/ui/button"
import { Notice } from "@/components/ui/notice"
import { Page } from "@/components/ui/page"

/** Stands where a page broke; the rest of the layout goes on working. */
export function RouteError() {
  const error = useRouteError()
  return (
    <Page heading={<h1 className="pb-4 text-title font-medium">This page broke</h1>} title="Error">
      <Notice title={error instanceof Error ? error.message : "Something unexpected happened."} tone="failed">
        <p>Reload it. After an update of the server that is needed once; your jobs are not affected.</p>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </Notice>
    </Page>
  )
}
