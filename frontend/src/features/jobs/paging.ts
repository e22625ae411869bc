/** The cursor that a `Link` header of the job list leads on with, null on the last page. */
export function nextCursor(link: string | null): string | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1]
  return target === undefined ? null : new URL(target, "http://gateway").searchParams.get("cursor")
}
