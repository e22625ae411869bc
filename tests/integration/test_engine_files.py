"""Orders that name files by their ids and by their paths, and the files that jobs make, on both databases."""

from dataclasses import replace
from decimal import Decimal

import pytest

from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileSource, FileState, MediaDetails
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import Price
from genesis.domain.quantity import Unit
from genesis.engine.order import Order
from genesis.errors import Conflict, InvalidRequest, TooExpensive
from tests.support.engine import ended, submit
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers, answer

NOW = 1_800_000_000_000
OTHER_ORGANIZATION = "00000000-0000-7000-8000-000000000002"


def file_of(media_type="image/png", **changes):
    file_id = new_id()
    folder, extension = ("images", "png") if media_type.startswith("image") else ("audio", "wav")
    file = File(
        file_id,
        DEFAULT_ORGANIZATION,
        f"{folder}/{file_id}.{extension}",
        media_type,
        10,
        "00" * 32,
        FileSource.UPLOAD,
        NOW,
    )
    return replace(file, **changes)


async def said(call):
    return answer(call)


@pytest.fixture
def records(engine_on, database):
    """Adds files to the test's database."""

    async def add(engine, file):
        await engine._given_files._records.add(file)
        return file

    return add


async def refusal(engine, inputs, pipeline="image_to_image"):
    with pytest.raises(InvalidRequest) as refused:
        await submit(engine, pipeline, inputs)
    return refused.value


async def test_the_id_of_a_file_stands_for_its_path(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        job = await ended(engine, await submit(engine, "image_to_image", {"image_file": file.id.upper()}))
        assert job.inputs == {"image_url": file.url}
        assert job.status is JobStatus.COMPLETED
        estimate = await engine.estimate(DEFAULT_ORGANIZATION, Order("image_to_image", {"image_file": file.id}, {}))
        assert estimate is not None


@pytest.mark.parametrize("by", ["id", "path"])
async def test_a_recording_costs_by_the_length_that_was_found_in_it(engine_on, records, by):
    prices = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001"), Unit.INPUT_TOKENS: Decimal("0.000001")}))
    async with engine_on(ScriptedWorkers(said), prices=prices) as engine:
        by_size = None
        for details, seconds in (
            (MediaDetails(), 60),  # it does not tell
            (by_size, 100),
            (MediaDetails(duration_ms=1_800_500), Decimal("1800.5")),
        ):
            file = await records(engine, file_of("audio/wav", details=details, size=3_200_000))
            inputs = {"audio_file": file.id} if by == "id" else {"audio_url": file.url}
            estimate = await engine.estimate(DEFAULT_ORGANIZATION, Order("speech_to_text", inputs, {}))
            assert estimate.steps[0].quantities[Unit.AUDIO_SECONDS] == seconds
            assert (estimate.steps[0].notes == ()) == (seconds == Decimal("1800.5"))
        assert (estimate.cost, estimate.steps[0].notes) == (217_861, ())
        with pytest.raises(TooExpensive):
            await engine.submit(DEFAULT_ORGANIZATION, Order("speech_to_text", inputs, {}, max_cost=Money(100_000)))


async def test_a_path_has_to_lead_to_a_file(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        assert (await submit(engine, "image_to_image", {"image_url": file.url})).inputs == {"image_url": file.url}
        for key in (f"images/{new_id()}.png", f"thumbnails/{file.id}-320.webp", f"audio/{file.id}.png"):
            error = await refusal(engine, {"image_url": f"/storage/{key}"})
            assert [(one.field, one.message) for one in error.errors] == [
                ("inputs.image_url", "There is no such file.")
            ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": FileState.DELETED, "deleted_at": NOW}, "The file was deleted."),
        ({"state": FileState.WAITING, "size": None, "sha256": None}, "no content yet"),
        ({"problem": "The image has 2,500 megapixels; 100 are allowed."}, "2,500 megapixels"),
        ({"media_type": "audio/wav"}, "The file is audio/wav, but image is wanted."),
    ],
    ids=["deleted", "waiting", "unusable", "of another family"],
)
async def test_a_file_that_cannot_be_used_is_refused_with_the_reason(engine_on, records, changes, said):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of(**changes))
        error = await refusal(engine, {"image_file": file.id})
        assert error.errors[0].field == "inputs.image_file"
        assert said in error.message
        assert "POST /files" in error.hint


@pytest.mark.parametrize("file_id", ["no-id", 7, ["x"], ""])
async def test_what_is_no_id(engine_on, file_id):
    async with engine_on(ScriptedWorkers(said)) as engine:
        assert "UUID" in (await refusal(engine, {"image_file": file_id})).message


async def test_a_url_and_an_id_at_once(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        error = await refusal(engine, {"image_file": file.id, "image_url": file.url})
        assert error.message == "inputs.image_file: Give either image_file or image_url."


async def test_a_pipeline_without_files_has_no_such_input(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        error = await refusal(engine, {"text": "hi", "image_file": file.id}, "text_to_text")
        assert error.errors[0].field == "inputs.image_file"


async def test_a_file_of_another_organization_is_none(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        order = Order("image_to_image", {"image_file": file.id}, {})
        with pytest.raises(InvalidRequest, match="no such file"):
            await engine.submit(OTHER_ORGANIZATION, order)


async def test_a_batch_tells_which_jobs_name_no_file(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        orders = [Order("image_to_image", {"image_file": one}, {}) for one in (file.id, new_id())]
        with pytest.raises(InvalidRequest) as refused:
            await engine.submit_batch(DEFAULT_ORGANIZATION, orders)
        assert [one.field for one in refused.value.errors] == ["jobs.1.inputs.image_file"]


async def test_a_repeated_submit_is_answered_after_its_file_was_deleted(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        order = Order("image_to_image", {"image_file": file.id}, {})
        first = await engine.submit(DEFAULT_ORGANIZATION, order, idempotency_key="once")
        await ended(engine, first.job)
        await engine._given_files._records.delete(DEFAULT_ORGANIZATION, file.id, NOW)
        again = await engine.submit(DEFAULT_ORGANIZATION, order, idempotency_key="once")
        assert again.replayed
        assert again.job.id == first.job.id


async def test_what_a_job_makes_is_a_file_that_another_job_takes(engine_on):
    made = []

    async def draw(call):
        result = answer(call)
        artifact = Artifact(f"images/{call.call_key}.png", "image/png", 4, "ab" * 32)
        made.append(artifact)
        return replace(result, output={"image_url": artifact.url}, artifact=artifact)

    async with engine_on(ScriptedWorkers(draw)) as engine:
        first = await ended(engine, await submit(engine, "text_to_image", {"text": "a cat"}))
        records = engine._given_files._records
        (file,) = (await records.page(DEFAULT_ORGANIZATION, limit=10)).files
        assert (file.key, file.size, file.sha256, file.job, file.source) == (
            made[0].key,
            4,
            "ab" * 32,
            first.id,
            FileSource.JOB,
        )
        second = await ended(engine, await submit(engine, "image_to_image", {"image_file": file.id}))
        assert second.inputs["image_url"] == first.outputs["image_url"]
        await records.delete(DEFAULT_ORGANIZATION, file.id, NOW)


async def test_a_file_that_a_waiting_job_needs_is_not_deleted(engine_on, records):
    async with engine_on(ScriptedWorkers(said)) as engine:
        file = await records(engine, file_of())
        order = {"not_before": engine._clock.now() + 600_000}
        job = await submit(engine, "image_to_image", {"image_file": file.id}, order)
        files = engine._given_files._records
        with pytest.raises(Conflict):
            await files.delete(DEFAULT_ORGANIZATION, file.id, NOW)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        assert (await files.delete(DEFAULT_ORGANIZATION, file.id, NOW)).state is FileState.DELETED
