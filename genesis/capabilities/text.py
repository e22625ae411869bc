"""Text generation: a prompt in, text out."""

from typing import Annotated

from pydantic import Field

from genesis.capabilities.fields import CallOptions, CapabilityModel, Seed, Text


class TextInput(CapabilityModel):
    text: Annotated[Text, Field(max_length=32_000, description="The prompt.")]


class TextExample(CapabilityModel):
    """A prompt with the answer that is wanted for it."""

    text: Annotated[Text, Field(max_length=4_000)]
    answer: Annotated[Text, Field(max_length=4_000)]


class TextOptions(CallOptions):
    system: str | None = Field(None, max_length=8_000, description="Instruction that stands above the prompt.")
    examples: list[TextExample] | None = Field(
        None, min_length=1, max_length=20, description="Prompts with the answers that are wanted for them."
    )
    temperature: float | None = Field(None, ge=0, le=2, description="0 is the most predictable.")
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=131_072, description="Longest answer, in tokens.")
    stop: list[str] | None = Field(None, min_length=1, max_length=4, description="Texts that end the answer.")
    seed: Seed | None = None
    stream: bool | None = Field(None, description="Sends the text as it is written to those who follow the job.")


class TextOutput(CapabilityModel):
    text: Text
