import type { ReactNode } from "react"

/** The frame of a page below the layout: its title in the browser, its heading, and what belongs to its right. */
export function Page({ title, heading, children }: { title: string; heading: ReactNode; children: ReactNode }) {
  return (
    <div className="mx-auto max-w-7xl px-4 py-5 md:px-8 md:py-7">
      <title>{`${title} · Genesis`}</title>
      {heading}
      {children}
    </div>
  )
}

/** A titled part of a page. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="mt-8">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 pb-3">
        <h2 className="text-lead font-medium">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

/** Where content will stand while it is fetched. */
export function Loading({ label, className = "h-40" }: { label: string; className?: string }) {
  return (
    <div className={`developing bg-sunken ${className}`} role="status">
      <span className="sr-only">{label}</span>
    </div>
  )
}
