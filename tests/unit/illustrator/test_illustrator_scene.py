"""What the illustrator reads out of a prompt."""

import pytest

from genesis.providers.local.server.illustrator.palette import COLORS, MOODS
from genesis.providers.local.server.illustrator.placing import choose_plane
from genesis.providers.local.server.illustrator.scene import read_scene, without
from genesis.providers.local.server.illustrator.subjects import FIGURES
from genesis.providers.local.server.illustrator.vocabulary import COUNT_WORDS, HABITATS, LEXICON, SIZE_WORDS

WORDS = {
    role: sorted(word for word, term in LEXICON.items() if term.role == role)
    for role in ("subject", "ground", "feature")
}


@pytest.mark.parametrize("word", WORDS["subject"])
def test_every_subject_word_names_a_figure_in_the_scene(word: str) -> None:
    subjects = read_scene(f"a {word}").subjects
    assert [subject.kind for subject in subjects] == [LEXICON[word].name]
    assert subjects[0].kind in FIGURES


@pytest.mark.parametrize("word", WORDS["ground"])
def test_every_ground_word_is_in_the_scene(word: str) -> None:
    assert LEXICON[word].name in read_scene(f"view of the {word}").grounds


@pytest.mark.parametrize("word", WORDS["feature"])
def test_every_feature_word_is_in_the_scene(word: str) -> None:
    assert LEXICON[word].name in read_scene(f"lake with {word}").features


def test_every_time_mood_season_and_style_word_takes_effect() -> None:
    for word, term in LEXICON.items():
        scene = read_scene(f"a lake, {word}")
        if term.role in {"time", "mood"}:
            assert scene.time == term.name, word
            assert scene.time in MOODS
        elif term.role == "season":
            assert scene.season == term.name, word
        elif term.role == "style":
            assert scene.style == term.name, word


def test_every_figure_has_a_word_and_a_habitat() -> None:
    named = {term.name for term in LEXICON.values() if term.role == "subject"}
    settled = {kind for kinds in HABITATS.values() for kind in kinds}
    assert named == settled == set(FIGURES) - {"bird flying"}


def test_colors_counts_and_sizes_belong_to_the_noun_that_follows() -> None:
    cats, car = read_scene("three tiny red cats and a huge blue car").subjects
    assert (cats.kind, cats.count, cats.color, cats.size) == ("cat", 3, "red", SIZE_WORDS["tiny"])
    assert (car.kind, car.count, car.color, car.size) == ("car", 1, "blue", SIZE_WORDS["huge"])


@pytest.mark.parametrize("color", sorted(COLORS))
def test_every_color_is_read(color: str) -> None:
    assert read_scene(f"a {color} house").subjects[0].color == color


@pytest.mark.parametrize(("word", "count"), sorted(COUNT_WORDS.items()))
def test_every_count_is_read(word: str, count: int) -> None:
    noun = "cats" if count > 1 else "cat"
    assert read_scene(f"{word} {noun}").subjects[0].count == count


def test_digits_and_plurals_count() -> None:
    assert read_scene("4 dogs").subjects[0].count == 4
    assert read_scene("dogs").subjects[0].count > 1
    assert read_scene("a dog").subjects[0].count == 1
    assert read_scene("500 dogs").subjects[0].count == 9


def test_a_color_does_not_cross_a_comma() -> None:
    assert read_scene("red, a cat").subjects[0].color is None


def test_colors_of_sky_ground_and_background() -> None:
    scene = read_scene("a cat under a green sky in a purple meadow")
    assert (scene.sky_color, scene.ground_color, scene.subjects[0].color) == ("green", "purple", None)
    plain = read_scene("a cat on a yellow background")
    assert (plain.grounds, plain.ground_color) == (("studio",), "yellow")


def test_mountains_have_a_color_of_their_own() -> None:
    scene = read_scene("purple mountains above a yellow meadow")
    assert (scene.mountain_color, scene.ground_color) == ("purple", "yellow")


def test_people_hold_their_umbrellas() -> None:
    person, umbrella = read_scene("two people with a red umbrella").subjects
    assert (person.count, umbrella.count, umbrella.relation, umbrella.target) == (2, 2, "held", 0)


def test_prepositions_link_subjects() -> None:
    cat, boat = read_scene("a cat on a boat").subjects
    assert (cat.relation, cat.target, boat.relation) == ("on", 1, None)
    house, dog = read_scene("a house behind a dog").subjects
    assert (dog.relation, dog.target, house.relation) == ("front", 0, None)


def test_unknown_words_are_reported_and_known_ones_listed() -> None:
    scene = read_scene("a red cat with a zorblax and a quibble")
    assert scene.unrecognized == ("zorblax", "quibble")
    assert scene.recognized == ("red", "cat")
    assert [subject.kind for subject in scene.subjects] == ["cat"]


def test_terms_of_art_are_not_elements() -> None:
    scene = read_scene("a highly detailed oil painting of a dog, masterpiece, 4k, trending on artstation")
    assert (scene.style, scene.unrecognized) == ("oil", ())
    assert [subject.kind for subject in scene.subjects] == ["dog"]


def test_an_unknown_style_gives_its_mood_and_says_so() -> None:
    scene = read_scene("a dog", "spooky glorpcore")
    assert (scene.style, scene.style_recognized, scene.time) == ("flat", False, "night")
    assert "glorpcore" in scene.unrecognized
    assert read_scene("a dog", "Watercolor").style_recognized
    assert read_scene("a dog", None).style_recognized


def test_a_negative_prompt_removes_every_kind_of_element() -> None:
    scene = read_scene("a cat and a dog on a beach at night in the rain in winter")
    rest = without(scene, "dogs, rain, beach, night, winter")
    assert [subject.kind for subject in rest.subjects] == ["cat"]
    assert (rest.features, rest.time, rest.season) == ((), "day", None)
    assert "beach" not in rest.grounds
    assert without(scene, None) == scene
    assert without(scene, "zorblax") == scene


def test_removal_keeps_relations_consistent() -> None:
    rest = without(read_scene("a bird, a cat on a boat"), "bird")
    assert rest.subjects[0].target == 1
    assert without(read_scene("a cat on a boat"), "boat").subjects[0].target is None


def test_no_and_without_in_the_prompt_remove() -> None:
    scene = read_scene("a lake without boats and no clouds, with a duck")
    assert [subject.kind for subject in scene.subjects] == ["duck"]
    assert "clouds" not in scene.features


def test_prompts_without_known_words_give_a_landscape_that_depends_on_them() -> None:
    scenes = {read_scene(f"zorblax {number}th").grounds for number in range(20)}
    assert len(scenes) > 2
    assert all(scenes)


@pytest.mark.parametrize(
    ("prompt", "plane"),
    [
        ("a boat in the mountains", "lake"), ("a cat at the sea", "beach"), ("city skyline", "quay"),
        ("a car in the city", "street"), ("a cat on a boat on the sea", "sea"), ("an apple", "table"),
        ("goldfish", "underwater"), ("a rocket", "space"), ("mountains", "meadow"),
    ],
)  # fmt: skip
def test_the_ground_suits_the_subjects(prompt: str, plane: str) -> None:
    assert choose_plane(read_scene(prompt)) == plane


@pytest.mark.parametrize(
    "prompt", ["", "   ", "🐱🚀", "!!!", "猫が船に乗る", "кот на лодке", "a " * 2000, "cat " * 1000, "\0\n\t", "ﬁsh"]
)
def test_odd_prompts_are_read(prompt: str) -> None:
    scene = read_scene(prompt, prompt)
    assert scene.grounds
    assert scene.time in MOODS
