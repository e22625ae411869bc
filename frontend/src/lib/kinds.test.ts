import { expect, test } from "vitest"
import { ends, kindOfCapability, kindOfFormat } from "@/lib/kinds"

test("a pipeline's type says what it turns into what", () => {
  expect(ends("speech_to_image")).toEqual([
    { word: "speech", kind: "audio" },
    { word: "image", kind: "image" },
  ])
})

test.each(["summarize", "text_to_video", "text_to_text_to_text"])("%s is named otherwise", (type) => {
  expect(ends(type)).toBeNull()
})

test("formats and capabilities without content have no kind", () => {
  expect([kindOfFormat("image_url"), kindOfFormat("date")]).toEqual(["image", null])
  expect([kindOfCapability("speech"), kindOfCapability("dance")]).toEqual(["audio", null])
})
