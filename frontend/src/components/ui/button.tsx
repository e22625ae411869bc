import type { ButtonHTMLAttributes } from "react"
import type { LinkProps } from "react-router"
import { Link } from "react-router"

type Look = "primary" | "secondary" | "quiet"

const LOOKS: Readonly<Record<Look, string>> = {
  primary: "bg-ink text-surface font-medium px-5 enabled:hover:bg-ink2 disabled:bg-ink3",
  secondary: "border border-edge text-ink px-3 enabled:hover:bg-sunken disabled:text-ink3",
  quiet: "text-ink2 px-2 enabled:hover:text-ink enabled:hover:bg-sunken disabled:text-ink3",
}

function shape(look: Look): string {
  return `inline-flex min-h-9 pointer-coarse:min-h-11 items-center justify-center gap-2 rounded-control ${LOOKS[look]}`
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look
}

export function Button({ look = "secondary", className = "", type = "button", ...rest }: ButtonProps) {
  return <button className={`${shape(look)} ${className}`} type={type} {...rest} />
}

/** A link that looks like a button. */
export function ButtonLink({ look = "secondary", className = "", ...rest }: LinkProps & { look?: Look }) {
  return <Link className={`${shape(look).replaceAll("enabled:", "")} ${className}`} {...rest} />
}

/** A link to a file, which the browser saves. */
export function DownloadLink({ href, children }: { href: string; children: string }) {
  return (
    <a className={shape("secondary").replaceAll("enabled:", "")} download href={href}>
      {children}
    </a>
  )
}
