"""What a job of a pipeline has to look like: typed inputs and options, derived from the capabilities it feeds."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError, create_model
from pydantic.fields import FieldInfo

from genesis.capabilities.catalog import CAPABILITIES
from genesis.capabilities.fields import AudioUrl, CapabilityModel, ImageUrl, Kind, Subtitles, Text
from genesis.domain.expression import Reference
from genesis.domain.pipeline import Pipeline, PipelineInput
from genesis.errors import FieldError, InvalidRequest, UnknownOption
from genesis.pipelines.validator import option_sources

_KIND_TYPES = {Kind.TEXT: Text, Kind.AUDIO_URL: AudioUrl, Kind.IMAGE_URL: ImageUrl, Kind.SUBTITLES: Subtitles}
_FILE_KINDS = {Kind.AUDIO_URL, Kind.IMAGE_URL}

FILE_ID = "file_id"
"""The JSON Schema `format` of an input that takes the id of a file."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A pipeline with the models that its jobs are checked against."""

    pipeline: Pipeline
    inputs: type[CapabilityModel]
    options: type[CapabilityModel]
    outputs: type[CapabilityModel]

    def inputs_schema(self) -> dict[str, Any]:
        """JSON Schema of the inputs as people give them: a file by its URL or, in the field beside that, by its id."""
        schema = self.inputs.model_json_schema()
        for given in self.pipeline.inputs:
            if given.kind in _FILE_KINDS:
                _add_file_field(schema, given.name)
        return schema

    def check(self, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The inputs and options of a job as the pipeline takes them, without those that are null.

        Raises:
            InvalidRequest: a part is missing, unknown or wrong; all of them are listed.
            UnknownOption: an option that this pipeline does not have.
        """
        unknown = [name for name in options if name not in self.options.model_fields]
        if unknown:
            raise UnknownOption(
                f"Pipeline `{self.pipeline.type}` has no option `{unknown[0]}`.",
                hint=f"Its options are {', '.join(sorted(self.options.model_fields))}.",
                errors=tuple(FieldError(f"options.{name}", "Unknown option.") for name in unknown),
            )
        wrong: list[FieldError] = []
        checked = [
            _validated(model, given, part, wrong)
            for model, given, part in ((self.inputs, inputs, "inputs"), (self.options, options, "options"))
        ]
        if wrong:
            raise InvalidRequest(
                f"{wrong[0].field}: {wrong[0].message}",
                hint=f"GET /pipelines describes what `{self.pipeline.type}` takes.",
                errors=tuple(wrong),
            )
        return checked[0], checked[1]


def file_field(name: str) -> str:
    """The input that takes a file's id where `name` takes its URL."""
    return f"{name.removesuffix('_url')}_file"


def _add_file_field(schema: dict[str, Any], name: str) -> None:
    """Lets an input be given by the id of a file as well."""
    field = file_field(name)
    schema["properties"][field] = {
        "type": "string",
        "format": FILE_ID,
        "description": f"The id of a file of `GET /files`, in place of `{name}`.",
    }
    if name in schema.get("required", ()):
        schema["required"].remove(name)
        schema.setdefault("allOf", []).append({"anyOf": [{"required": [name]}, {"required": [field]}]})


def contract_of(pipeline: Pipeline) -> Contract:
    """The contract of a valid pipeline."""
    prefix = "".join(word.capitalize() for word in pipeline.type.split("_"))
    inputs = {given.name: _input_field(pipeline, given) for given in pipeline.inputs}
    options = {
        name: (capability.options.model_fields[option].annotation, capability.options.model_fields[option])
        for name, (capability, option) in option_sources(pipeline).items()
    }
    outputs = {name: (_KIND_TYPES[Kind(name)] | None, None) for name in pipeline.outputs}
    return Contract(
        pipeline,
        create_model(f"{prefix}Inputs", __base__=CapabilityModel, **inputs),  # type: ignore[call-overload]  # dynamic
        create_model(f"{prefix}Options", __base__=CapabilityModel, **options),  # type: ignore[call-overload]  # dynamic
        create_model(f"{prefix}Outputs", __base__=CapabilityModel, **outputs),  # type: ignore[call-overload]  # dynamic
    )


def _input_field(pipeline: Pipeline, given: PipelineInput) -> tuple[Any, FieldInfo]:
    """The field of the first capability that the input feeds as it is, so that its limits hold at the door."""
    for step in pipeline.steps:
        for name, expression in step.input.items():
            if (Reference("inputs", given.name),) in (expression.single or ()):
                field = copy(CAPABILITIES[step.capability].input.model_fields[name])
                field.description = given.description
                return field.annotation, field
    return _KIND_TYPES[Kind(given.kind)], FieldInfo(description=given.description, max_length=32_000)


def _validated(
    model: type[CapabilityModel], given: Mapping[str, Any], part: str, wrong: list[FieldError]
) -> dict[str, Any]:
    try:
        return model.model_validate(given).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        wrong.extend(
            FieldError(
                ".".join([part, *(str(step) for step in item["loc"])]), item["msg"].removeprefix("Value error, ")
            )
            for item in error.errors(include_url=False, include_input=False)
        )
        return {}
