import { useEffect, useRef } from "react"
import { Link, NavLink, Outlet, ScrollRestoration, useLocation } from "react-router"
import { paths } from "@/app/paths"
import { ThemeSwitch } from "@/app/theme-switch"
import type { IconName } from "@/components/ui/icons"
import { Icon, Logo } from "@/components/ui/icons"
import { GatewayBanner } from "@/features/status/gateway-banner"

const PAGES: readonly { to: string; label: string; icon: IconName; end: boolean }[] = [
  { to: paths.create, label: "Create", icon: "create", end: true },
  { to: paths.jobs, label: "Jobs", icon: "jobs", end: false },
]

/** What all pages share: the rail (a bar on phones), the banner, and the page itself. */
export function Layout() {
  const main = useRef<HTMLElement>(null)
  useFocusOnNavigation(main)
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[184px_1fr]">
      <a
        className="absolute -top-20 left-2 z-10 rounded-control bg-ink px-4 py-2 text-surface focus:top-2"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        Skip to content
      </a>
      <header className="flex items-center gap-1 border-b border-line bg-surface px-3 md:sticky md:top-0 md:h-dvh md:flex-col md:items-stretch md:border-r md:border-b-0 md:px-0 md:py-4">
        <Link className="flex h-14 items-center gap-2.5 px-1 text-lead font-semibold md:h-12 md:px-5" to={paths.create}>
          <Logo />
          <span className="max-[419px]:sr-only">Genesis</span>
        </Link>
        <nav aria-label="Main" className="flex grow md:flex-col md:pt-2">
          {PAGES.map(({ to, label, icon, end }) => (
            <NavLink
              className="flex h-14 items-center gap-2.5 border-b-2 border-transparent px-2.5 text-ink2 hover:text-ink aria-[current=page]:border-ink aria-[current=page]:font-medium aria-[current=page]:text-ink md:h-9 md:border-b-0 md:border-l-2 md:px-4.5"
              end={end}
              key={to}
              to={to}
            >
              <span className="max-md:hidden">
                <Icon name={icon} />
              </span>
              {label}
            </NavLink>
          ))}
        </nav>
        <div className="flex items-center gap-1 md:flex-col md:items-stretch md:gap-4 md:px-5">
          <a
            className="flex h-14 items-center gap-2.5 px-1.5 text-ink2 hover:text-ink md:h-9 md:px-0"
            href="/docs"
            rel="noreferrer"
            target="_blank"
          >
            <span className="max-md:hidden">
              <Icon name="book" />
            </span>
            API
            <span className="sr-only">(opens in a new tab)</span>
          </a>
          <div className="w-24 min-[360px]:w-27 md:w-full">
            <ThemeSwitch />
          </div>
        </div>
      </header>
      <div className="min-w-0">
        <GatewayBanner />
        <main className="min-w-0" id="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      {/* All pages that are opened by their address share one key, but not the place to which they are scrolled. */}
      <ScrollRestoration getKey={({ key, pathname }) => (key === "default" ? pathname : key)} />
    </div>
  )
}

/** Moves the focus to the new page's content after a navigation, so that keyboards and screen readers go on there. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation()
  const shown = useRef(pathname)
  useEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    main.current?.focus({ preventScroll: true })
  }, [main, pathname])
}
