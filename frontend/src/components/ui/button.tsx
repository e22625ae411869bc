import type { ButtonHTMLAttributes } from "react"
import type { LinkProps } from "react-router"
import { Link } from "react-router"
import type { IconName } from "@/components/ui/icons"
import { Icon } from "@/components/ui/icons"

type Look = "primary" | "secondary" | "quiet"

const SHAPE = "inline-flex min-h-9 items-center justify-center gap-2 rounded-control pointer-coarse:min-h-11"

const LOOKS: Readonly<Record<Look, string>> = {
  primary: `${SHAPE} bg-ink px-5 font-medium text-surface not-aria-disabled:hover:bg-ink2 aria-disabled:bg-ink3`,
  secondary: `${SHAPE} border border-edge px-3 text-ink not-aria-disabled:hover:bg-sunken aria-disabled:text-ink3`,
  quiet: `${SHAPE} px-2 text-ink2 not-aria-disabled:hover:bg-sunken not-aria-disabled:hover:text-ink aria-disabled:text-ink3`,
}

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
  look?: Look
  /** Does nothing now, and says so; unlike a disabled button it keeps the focus. */
  inactive?: boolean
}

export function Button({ look = "secondary", inactive = false, className = "", onClick, ...rest }: ButtonProps) {
  return (
    <button
      aria-disabled={inactive || undefined}
      className={`${LOOKS[look]} ${className}`}
      onClick={inactive ? (event) => event.preventDefault() : onClick}
      type="button"
      {...rest}
    />
  )
}

/** A small button of which only the icon is seen; its label names it. */
export function IconButton({ label, icon, ...rest }: { label: string; icon: IconName; onClick: () => void }) {
  return (
    <button
      aria-label={label}
      className="grid size-6 shrink-0 place-items-center text-ink2 hover:text-ink pointer-coarse:size-11"
      title={label}
      type="button"
      {...rest}
    >
      <Icon name={icon} size={14} />
    </button>
  )
}

/** A link that looks like a button. */
export function ButtonLink({ look = "secondary", className = "", ...rest }: LinkProps & { look?: Look }) {
  return <Link className={`${LOOKS[look]} ${className}`} {...rest} />
}

/** A link to a file, which the browser saves. */
export function DownloadLink({ href, children }: { href: string; children: string }) {
  return (
    <a className={LOOKS.secondary} download href={href}>
      {children}
    </a>
  )
}
