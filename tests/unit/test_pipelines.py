import json
from copy import deepcopy

import jsonschema
import pytest
import yaml
from jsonschema import Draft202012Validator

from genesis.domain.pipeline import from_document, to_document
from genesis.errors import InvalidPipeline, InvalidRequest, UnknownOption
from genesis.pipelines.catalog import builtin_pipelines
from genesis.pipelines.contract import contract_of
from genesis.pipelines.validator import load_pipeline
from tests.support.jobs import pipeline, text_step

GOOD = yaml.safe_load(
    """
    type: trial
    version: 1
    description: For tests.
    inputs:
      text: {kind: text, description: Any text.}
      audio_url: {kind: audio_url, description: A recording.}
    steps:
      - name: listen
        capability: transcription
        input: {audio_url: "${inputs.audio_url}"}
      - name: write
        capability: text
        input: {text: "Use ${steps.listen.text} for ${inputs.text}"}
        options: {temperature: "${options.temperature}"}
      - name: draw
        capability: image
        when: options.temperature
        input: {prompt: "${steps.write.text ?? inputs.text}"}
    outputs:
      text: ${steps.write.text}
      image_url: ${steps.draw.image_url}
    """
)


def wrong(change):
    document = deepcopy(GOOD)
    change(document)
    with pytest.raises(InvalidPipeline) as caught:
        load_pipeline(document)
    return caught.value.message


def step(document, name):
    return next(step for step in document["steps"] if step["name"] == name)


def test_a_good_one_loads():
    assert [step.name for step in load_pipeline(GOOD).steps] == ["listen", "write", "draw"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: step(d, "write")["input"].update(text="${steps.nobody.text}"), "steps.write.input.text"),
        (lambda d: step(d, "write")["input"].update(text="${steps.listen.image_url}"), "steps.write.input.text"),
        (lambda d: step(d, "write")["input"].update(text="${inputs.nothing}"), "steps.write.input.text"),
        (lambda d: step(d, "write")["input"].update(text="${options.nothing}"), "steps.write.input.text"),
        (lambda d: step(d, "write")["input"].update(prompt="x"), "steps.write.input.prompt"),
        (lambda d: step(d, "write")["input"].clear(), "steps.write.input"),
        (lambda d: step(d, "write")["options"].update(style="x"), "steps.write.options.style"),
        (lambda d: step(d, "write").update(capability="video"), "steps.write.capability"),
        (lambda d: step(d, "write").update(name="listen"), "steps.listen"),
        (lambda d: step(d, "draw").update(when="options.nothing"), "steps.draw.when"),
        (
            lambda d: step(d, "listen")["input"].update(audio_url="${steps.draw.image_url}"),
            "steps.listen.input.audio_url",
        ),
        (
            lambda d: step(d, "listen")["input"].update(audio_url="http://x/${inputs.text}"),
            "steps.listen.input.audio_url",
        ),
        (lambda d: d["outputs"].update(image_url="${steps.write.text}"), "outputs.image_url"),
        (lambda d: d["outputs"].update(text="${steps.nobody.text}"), "outputs.text"),
        (lambda d: d["outputs"].update(video="${steps.write.text}"), "outputs.video"),
        (lambda d: d.update(steps=[]), "steps"),
        (lambda d: d.pop("inputs"), "inputs"),
        (lambda d: step(d, "write").update(on_error="ignore"), "steps.1.on_error"),
    ],
)
def test_an_error_names_its_place(change, place):
    message = wrong(change)
    assert "`trial`" in message
    assert f"at {place}" in message


def test_a_cycle_is_named():
    with pytest.raises(InvalidPipeline, match=r"a → b → a|b → a → b"):
        pipeline(text_step("a", "${steps.b.text}"), text_step("b", "${steps.a.text}"))


def test_a_step_may_not_need_itself():
    with pytest.raises(InvalidPipeline, match="wait for each other"):
        pipeline(text_step("a", "${steps.a.text}"))


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_no_document_at_all(document):
    with pytest.raises(InvalidPipeline):
        load_pipeline(document)


def test_there_are_six_and_their_copies_in_jobs_are_the_same():
    assert list(builtin_pipelines()) == [
        "text_to_text",
        "text_to_image",
        "text_to_speech",
        "speech_to_text",
        "speech_to_image",
        "image_to_image",
    ]
    for contract in builtin_pipelines().values():
        stored = json.loads(json.dumps(to_document(contract.pipeline)))
        assert from_document(stored) == contract.pipeline


@pytest.mark.parametrize("name", list(builtin_pipelines()))
def test_schemas_are_valid_json_schema(name):
    contract = builtin_pipelines()[name]
    for model in (contract.inputs, contract.options, contract.outputs):
        jsonschema.Draft202012Validator.check_schema(model.model_json_schema())


def test_limits_come_from_the_capability_that_is_fed():
    properties = builtin_pipelines()["text_to_image"].inputs.model_json_schema()["properties"]
    assert properties["text"]["maxLength"] == 4_000
    assert properties["text"]["description"] == "What the image shows."


def test_an_input_that_feeds_only_text_with_holes_is_limited_too():
    contract = contract_of(pipeline(text_step("a", "Say ${inputs.text}")))
    with pytest.raises(InvalidRequest):
        contract.check({"text": "x" * 40_000}, {})


def test_checks_a_job():
    contract = builtin_pipelines()["text_to_image"]
    inputs, options = contract.check({"text": "a cat"}, {"style": "oil", "seed": None, "quality": "high"})
    assert inputs == {"text": "a cat"}
    assert options == {"style": "oil", "quality": "high"}


def test_lists_all_that_is_wrong():
    with pytest.raises(InvalidRequest) as caught:
        builtin_pipelines()["text_to_image"].check({"txt": "a"}, {"quality": "best", "seed": -1})
    assert {error.field for error in caught.value.errors} == {
        "inputs.text",
        "inputs.txt",
        "options.quality",
        "options.seed",
    }


def test_unknown_options_are_refused_with_the_known_ones():
    with pytest.raises(UnknownOption, match="voice") as caught:
        builtin_pipelines()["text_to_text"].check({"text": "a"}, {"voice": "x"})
    assert "temperature" in caught.value.hint


@pytest.mark.parametrize("model", ["gpt-4", "Openai:x", ":x", "openai:", "a b:c"])
def test_a_model_is_written_as_provider_and_name(model):
    with pytest.raises(InvalidRequest, match="provider:name"):
        builtin_pipelines()["text_to_text"].check({"text": "a"}, {"model": model})


@pytest.mark.parametrize("url", ["ftp://x/a.wav", "a.wav", "/etc/passwd", "http://x y", "javascript:alert(1)", "", 3])
def test_urls_are_http_or_ours(url):
    with pytest.raises(InvalidRequest):
        builtin_pipelines()["speech_to_text"].check({"audio_url": url}, {})


@pytest.mark.parametrize(
    ("inputs", "fits"),
    [
        ({"image_url": "https://example.org/cat.png"}, True),
        ({"image_file": "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"}, True),
        ({}, False),
        ({"audio_file": "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"}, False),
    ],
)
def test_the_schema_takes_a_file_by_its_url_or_by_its_id(inputs, fits):
    schema = builtin_pipelines()["image_to_image"].inputs_schema()
    assert Draft202012Validator(schema).is_valid(inputs) is fits
