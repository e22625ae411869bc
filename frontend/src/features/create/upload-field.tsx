import type { DragEvent } from "react"
import { useRef, useState } from "react"
import { ProblemError } from "@/api/errors"
import { Button } from "@/components/ui/button"
import { useUpload } from "@/features/create/use-upload"
import type { Kind } from "@/lib/kinds"

interface UploadFieldProps {
  kind: Kind
  label: string
  onUploaded: (url: string) => void
}

/** A place to drop a file of one's own, or to choose one. */
export function UploadField({ kind, label, onUploaded }: UploadFieldProps) {
  const upload = useUpload(onUploaded)
  const [isOver, setIsOver] = useState(false)
  const chooser = useRef<HTMLInputElement>(null)
  const take = (files: FileList | null) => {
    const file = files?.item(0)
    if (file) upload.send(file)
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setIsOver(false)
    take(event.dataTransfer.files)
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- dropping is for a mouse; the button is for all
    <div
      className={`border border-dashed p-3 ${isOver ? "border-ink bg-sunken" : "border-edge"}`}
      onDragLeave={() => setIsOver(false)}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDrop={onDrop}
    >
      <input
        accept={`${kind}/*`}
        aria-label={label}
        className="sr-only"
        onChange={(event) => {
          take(event.currentTarget.files)
          event.currentTarget.value = "" // the same file may be chosen again
        }}
        ref={chooser}
        tabIndex={-1}
        type="file"
      />
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        {upload.isPending ? (
          <>
            <span className="min-w-0 grow truncate text-small">{upload.name}</span>
            <progress aria-label="Sent" className="h-1.5 w-28 accent-ink" max={1} value={upload.sent} />
            <Button look="quiet" onClick={upload.cancel}>
              Stop
            </Button>
          </>
        ) : (
          <>
            <Button onClick={() => chooser.current?.click()}>Choose a file</Button>
            <span className="text-small text-ink3 pointer-coarse:hidden">or drop one here</span>
          </>
        )}
      </div>
      <p aria-live="polite" className="text-small text-failed wrap-anywhere">
        {upload.error !== null && (
          <span className="mt-2 block">
            {upload.error.message} {upload.error instanceof ProblemError ? upload.error.problem.hint : "Try it again."}
          </span>
        )}
      </p>
    </div>
  )
}
