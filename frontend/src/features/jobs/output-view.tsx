import type { ReactNode } from "react"
import { useFile } from "@/api/files"
import { AudioPlayer } from "@/components/ui/audio-player"
import { DownloadLink } from "@/components/ui/button"
import { CopyButton } from "@/components/ui/copy-button"
import { FileFrame } from "@/components/ui/file-frame"
import { KindLabel } from "@/components/ui/kind"
import type { Output } from "@/features/jobs/outputs"

/** An output in full, with what can be done with it; `more` are further actions. */
export function OutputView({ output, more }: { output: Output; more?: ReactNode }) {
  return (
    <article aria-label={`Output: ${output.kind}`} className="appear border border-line bg-surface">
      <Content output={output} />
      <div className="flex flex-wrap items-center gap-2 border-t border-line px-4 py-2">
        <KindLabel kind={output.kind} />
        <span className="grow" />
        {output.kind === "text" ? (
          <CopyButton text={output.value} />
        ) : (
          <DownloadLink href={output.value}>Download</DownloadLink>
        )}
      </div>
      {more}
    </article>
  )
}

function Content({ output }: { output: Output }) {
  switch (output.kind) {
    case "text":
      return <p className="max-w-[75ch] px-4 py-4 text-lead whitespace-pre-wrap wrap-anywhere">{output.value}</p>
    case "image":
      return <ImageOutput key={output.value} output={output} />
    case "audio":
      return <AudioOutput key={output.value} output={output} />
  }
}

function AudioOutput({ output }: { output: Output }) {
  const file = useFile(output.value)
  return (
    <div className="px-4 py-5">
      <FileFrame broken={<p>The recording cannot be played: its file is missing or damaged.</p>} file={file}>
        <AudioPlayer label={`Recording: ${output.about}`} onError={file.onError} src={output.value} />
      </FileFrame>
    </div>
  )
}

function ImageOutput({ output }: { output: Output }) {
  const file = useFile(output.value)
  const image = (
    <a className="block bg-sunken" href={output.value} rel="noreferrer" target="_blank" title="Open in full size">
      <img
        alt={output.about}
        className="mx-auto block max-h-[60vh] max-w-full"
        onError={file.onError}
        src={output.value}
      />
    </a>
  )
  return (
    <div className={file.state === "shown" ? "" : "p-4"}>
      <FileFrame broken={<p>The image cannot be shown: its file is missing or damaged.</p>} file={file}>
        {image}
      </FileFrame>
    </div>
  )
}
