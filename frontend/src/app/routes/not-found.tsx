import { paths } from "@/app/paths"
import { ButtonLink } from "@/components/ui/button"
import { Page } from "@/components/ui/page"

export function NotFoundRoute() {
  return (
    <Page heading={<h1 className="pb-2 text-title font-medium">There is no page at this address</h1>} title="Not found">
      <p className="pb-5 text-ink2">The link may be old or mistyped.</p>
      <div className="flex gap-2">
        <ButtonLink look="primary" to={paths.create}>
          Create something
        </ButtonLink>
        <ButtonLink to={paths.jobs}>See all jobs</ButtonLink>
      </div>
    </Page>
  )
}
