/** Names a file that cannot be shown, and leads to it. */
export function FileLink({ path, trouble }: { path: string; trouble: string }) {
  return (
    <p className="text-ink2 wrap-anywhere">
      {trouble}{" "}
      <a className="underline underline-offset-3 hover:text-ink" download href={path}>
        {path}
      </a>
    </p>
  )
}
