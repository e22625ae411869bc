/** A sentence of the API, in which backticks mark code. */
export function Prose({ text }: { text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code className="meta" key={index}>
        {part}
      </code>
    ) : (
      part
    ),
  )
}
