import { useMutation } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { upload } from "@/api/upload"

/** Sends files, one at a time; a new one takes the place of the one under way. */
export function useUpload(onUploaded: (url: string) => void) {
  const [sent, setSent] = useState(0)
  const under = useRef<AbortController | null>(null)
  const { mutate, isPending, error, variables, reset } = useMutation({
    mutationFn: (file: File) => {
      under.current?.abort()
      const controller = new AbortController()
      under.current = controller
      setSent(0)
      return upload(file, { signal: controller.signal, onProgress: setSent })
    },
    onSuccess: ({ url }) => onUploaded(url),
  })
  // Nobody waits for a file whose form has gone.
  useEffect(() => () => under.current?.abort(), [])
  return {
    send: (file: File) => mutate(file),
    cancel: () => {
      under.current?.abort()
      reset()
    },
    isPending,
    name: variables?.name ?? "",
    /** How much of it has been sent, from 0 to 1. */
    sent,
    error: error?.name === "AbortError" ? null : error,
  }
}
