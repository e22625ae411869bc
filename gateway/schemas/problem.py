"""Problem details (RFC 9457): the one form of every error."""

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """What is wrong with one part of the request."""

    field: str = Field(description="Path of the part.", examples=["inputs.text"])
    message: str


class Problem(BaseModel):
    """An error: a stable code, what happened, and what to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unknown pipeline",
                    "status": 422,
                    "code": "unknown-pipeline",
                    "detail": "There is no pipeline `text_to_video`.",
                    "hint": "Pipelines are text_to_text, text_to_image, text_to_speech, speech_to_text, "
                    "speech_to_image, image_to_image.",
                    "request_id": "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55",
                    "errors": [],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable; programs may rely on it.")
    detail: str = Field(description="What happened.")
    hint: str = Field("", description="What to do about it.")
    request_id: str = ""
    errors: list[FieldProblem] = []
