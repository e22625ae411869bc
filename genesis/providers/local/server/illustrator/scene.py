"""Reads a prompt into a Scene: what to draw, where, in which light and style, and which words were not understood."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from genesis.providers.local.server.illustrator.palette import COLORS
from genesis.providers.local.server.illustrator.vocabulary import (
    COUNT_WORDS,
    HABITATS,
    LEXICON,
    PLAIN_WORDS,
    SIZE_WORDS,
    Term,
)  # fmt: skip

MAXIMUM_COUNT: Final = 9
LONGEST_PHRASE: Final = 4
GROUNDLESS_SCENES: Final = (
    ("sunset", ("sea", "mountains")), ("dawn", ("lake", "mountains")), ("twilight", ("hills",)),
    ("day", ("meadow", "mountains")), ("sunset", ("hills",)), ("night", ("lake", "mountains")),
)  # fmt: skip
INDOORS: Final = frozenset({"table", "room"})
DEFAULT_TIMES: Final[dict[str, str]] = {"space": "night", "moonscape": "night", "city": "twilight"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of foreground element: how many, in which color (a name), how large, and where relative to another."""

    kind: str
    count: int = 1
    color: str | None = None
    size: float = 1.0
    flying: bool = False
    relation: str | None = None
    target: int | None = None
    """Index in the scene's subjects of the one that `relation` refers to."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the renderer draws, with the words that led to it."""

    time: str
    grounds: tuple[str, ...]
    subjects: tuple[Subject, ...] = ()
    features: tuple[str, ...] = ()
    season: str | None = None
    sky_color: str | None = None
    ground_color: str | None = None
    mountain_color: str | None = None
    feature_color: str | None = None
    style: str = "flat"
    style_recognized: bool = True
    recognized: tuple[str, ...] = ()
    """Words and phrases of the prompt, and of the style, that shaped the scene, in order."""
    unrecognized: tuple[str, ...] = ()
    """Words that name something the illustrator does not draw."""


@dataclass(slots=True)
class _Reading:
    """What has been gathered so far while walking through the words."""

    times: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    grounds: list[str] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    seasons: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    colors: dict[str, str] = field(default_factory=dict)
    recognized: list[str] = field(default_factory=list)
    unrecognized: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Pending:
    """Adjectives and a relation that wait for their noun."""

    color: str | None = None
    count: int | None = None
    size: float = 1.0
    flying: bool = False
    negated: bool = False
    relation: str | None = None

    def clear(self) -> None:
        self.color, self.count, self.size, self.flying, self.relation = None, None, 1.0, False, None


def read_scene(prompt: str, style: str | None = None) -> Scene:
    """The scene that a prompt describes; without any known word, a landscape chosen from the words themselves."""
    reading = _read(prompt)
    style_reading = _read(style or "")
    styles = style_reading.styles or reading.styles
    named_moods = [*reading.moods, *style_reading.times, *style_reading.moods]
    times = reading.times or named_moods
    grounds = list(dict.fromkeys(reading.grounds))
    features = list(dict.fromkeys(reading.features))
    subjects = tuple(reading.subjects)
    time, grounds = _settle(prompt, times, grounds, features, subjects)
    scene = Scene(
        time=time,
        grounds=tuple(grounds),
        subjects=subjects,
        features=tuple(features),
        season=reading.seasons[0] if reading.seasons else None,
        sky_color=reading.colors.get("sky"),
        ground_color=reading.colors.get("ground"),
        mountain_color=reading.colors.get("mountains"),
        feature_color=reading.colors.get("feature"),
        style=styles[0] if styles else "flat",
        style_recognized=bool(style_reading.styles) or not (style or "").strip(),
        recognized=tuple(dict.fromkeys([*reading.recognized, *style_reading.recognized])),
        unrecognized=tuple(dict.fromkeys([*reading.unrecognized, *style_reading.unrecognized])),
    )
    scene = _remove(scene, reading.removed) if reading.removed else scene
    return _sow(scene)


def _sow(scene: Scene) -> Scene:
    """Flowers that only accompany another subject grow all over the ground."""
    beds = [subject for subject in scene.subjects if subject.kind == "flower" and subject.count > 1]
    related = any(subject.relation for subject in scene.subjects)
    if not beds or len(scene.subjects) == len(beds) or related:
        return scene
    return replace(_remove(scene, {"flower"}), features=(*scene.features, "flowers"))


def without(scene: Scene, negative_prompt: str | None) -> Scene:
    """The scene with every element removed that the negative prompt names."""
    reading = _read(negative_prompt or "")
    names = {subject.kind for subject in reading.subjects}
    names.update(reading.grounds, reading.features, reading.times, reading.seasons, reading.removed)
    return _remove(scene, names) if names else scene


def _remove(scene: Scene, names: set[str]) -> Scene:
    kept = [index for index, subject in enumerate(scene.subjects) if subject.kind not in names]
    moved = {old: new for new, old in enumerate(kept)}
    subjects = []
    for index in kept:
        subject = scene.subjects[index]
        if subject.target is not None and subject.target not in moved:
            subject = replace(subject, relation=None, target=None)
        elif subject.target is not None:
            subject = replace(subject, target=moved[subject.target])
        subjects.append(subject)
    grounds = tuple(ground for ground in scene.grounds if ground not in names) or ("meadow",)
    if grounds == ("meadow",) and "meadow" in names:
        grounds = ("studio",)
    return replace(
        scene,
        subjects=tuple(subjects),
        grounds=grounds,
        features=tuple(feature for feature in scene.features if feature not in names),
        time="day" if scene.time in names and scene.time != "day" else scene.time,
        season=None if scene.season in names else scene.season,
    )


def _settle(
    prompt: str, times: list[str], grounds: list[str], features: list[str], subjects: tuple[Subject, ...]
) -> tuple[str, list[str]]:
    """Completes what the prompt leaves open: the ground from the subjects, the time from the ground."""
    if not grounds and subjects:
        grounds = list(_habitat(subjects))
    elif not grounds and not times and not features:
        key = hashlib.sha256(prompt.strip().lower().encode("utf-8", "replace")).digest()[0]
        time, chosen = GROUNDLESS_SCENES[key % len(GROUNDLESS_SCENES)]
        return time, list(chosen)
    elif not grounds:
        outer = {"galaxy", "planet"} & set(features)
        grounds = ["space"] if outer else ["city"] if times[:1] == ["neon"] else ["lake", "mountains"]
    if times:
        return times[0], grounds
    if {"aurora", "stars", "moon", "galaxy", "meteor", "fireflies"} & set(features):
        return "night", grounds
    if {"rain", "lightning"} & set(features):
        return "storm", grounds
    return next((DEFAULT_TIMES[ground] for ground in grounds if ground in DEFAULT_TIMES), "day"), grounds


def _habitat(subjects: tuple[Subject, ...]) -> tuple[str, ...]:
    homes = [home for subject in subjects for home, kinds in HABITATS.items() if subject.kind in kinds]
    special = ("sea", "lake", "street", "rails", "gorge", "moonscape", "space", "mountain meadow", "coast", "meadow")
    home = homes[0] if len(set(homes)) == 1 else next((name for name in special if name in homes), homes[0])
    if home == "coast":
        return ("beach",)
    if home == "mountain meadow":
        return ("meadow", "mountains")
    if home == "gorge":
        return ("river", "mountains")
    return ("meadow", "rails") if home == "rails" else (home,)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return re.findall(r"\w+(?:[-']\w+)*|[,.;:!?\n]", plain)


def _lookup(phrase: str) -> tuple[Term, bool] | None:
    """The term of a phrase and whether the phrase is its plural."""
    if phrase in COLORS:
        return Term("color", phrase), False
    if phrase in LEXICON:
        return LEXICON[phrase], (phrase.endswith("s") and phrase[:-1] in LEXICON) or phrase in {"people", "children"}
    for ending, single in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and (term := LEXICON.get(phrase[: -len(ending)] + single)):
            return (term, True) if term.role in {"subject", "ground", "feature"} else None
    return None


def _terms(words: list[str]) -> Iterator[tuple[str, Term | None, bool]]:
    """Walks through the words, longest known phrase first."""
    index = 0
    while index < len(words):
        for length in range(min(LONGEST_PHRASE, len(words) - index), 0, -1):
            phrase = " ".join(words[index : index + length])
            found = _lookup(phrase)
            if found is None and length == 1 and "-" in phrase:
                found = _lookup(phrase.replace("-", " "))
            if found:
                yield phrase, *found
                index += length
                break
        else:
            yield words[index], None, False
            index += 1


def _read(text: str) -> _Reading:
    reading, pending = _Reading(), _Pending()
    for phrase, term, plural in _terms(_words(text)):
        if term is None:
            _read_other(phrase, reading, pending)
            continue
        if pending.negated and term.role in {"subject", "ground", "feature", "time", "season"}:
            reading.removed.add(term.name)
            reading.recognized.append(f"no {phrase}")
            continue
        if term.role not in {"count", "relation", "negation"}:
            reading.recognized.append(phrase)
        _apply(term, reading, pending, plural=plural)
    return reading


def _read_other(word: str, reading: _Reading, pending: _Pending) -> None:
    if not word[0].isalnum():
        pending.clear()
        pending.negated = False
    elif word.isdigit():
        pending.count = max(1, min(MAXIMUM_COUNT, int(word[:3])))
    elif word not in PLAIN_WORDS:
        reading.unrecognized.append(word)


def _apply(term: Term, reading: _Reading, pending: _Pending, *, plural: bool) -> None:
    """Enters a term into the reading, or keeps it for the noun that follows."""
    plain = {"time": reading.times, "mood": reading.moods, "season": reading.seasons, "style": reading.styles}
    if term.role in plain:
        plain[term.role].append(term.name)
    elif term.role == "subject":
        _add_subject(term, reading, pending, plural=plural)
    elif term.role in {"ground", "sky", "background", "feature"}:
        _add_surroundings(term, reading, pending)
    else:
        _qualify(term, reading, pending)


def _add_surroundings(term: Term, reading: _Reading, pending: _Pending) -> None:
    match term.role:
        case "ground":
            reading.grounds.append(term.name)
        case "background" if pending.color:
            reading.grounds.append(term.name)
        case "feature":
            reading.features.append(term.name)
    color = pending.color or term.color
    if color:
        part = "ground" if term.role == "background" else term.role
        reading.colors["mountains" if term.name == "mountains" else part] = color
    pending.clear()


def _qualify(term: Term, reading: _Reading, pending: _Pending) -> None:
    match term.role:
        case "color":
            pending.color = pending.color or term.name
        case "count":
            pending.count = COUNT_WORDS[term.name]
            pending.negated = False
        case "size":
            pending.size = SIZE_WORDS[term.name]
        case "posture":
            _fly(reading, pending)
        case "relation":
            pending.negated = False
            pending.relation = term.name if term.name != "beside" or pending.relation is None else pending.relation
        case _:
            pending.negated = True


def _fly(reading: _Reading, pending: _Pending) -> None:
    """`flying` belongs to the noun before it, or to the one that follows."""
    if reading.subjects and pending.relation is None and pending.count is None:
        reading.subjects[-1] = replace(reading.subjects[-1], flying=True)
    else:
        pending.flying = True


def _add_subject(term: Term, reading: _Reading, pending: _Pending, *, plural: bool) -> None:
    usual = 5 if term.name in {"bird", "flower", "fish", "butterfly"} else 3
    count = min(
        MAXIMUM_COUNT, pending.count if pending.count and (pending.count > 1 or not plural) else usual if plural else 1
    )
    relation = pending.relation if reading.subjects else None
    reading.subjects.append(Subject(term.name, count, pending.color or term.color, pending.size, pending.flying))
    if relation:
        _relate(relation, reading.subjects)
    pending.clear()


def _relate(relation: str, subjects: list[Subject]) -> None:
    """Records "A relation B" on the subject that is placed by the other; people hold their umbrellas."""
    first, second = len(subjects) - 2, len(subjects) - 1
    if subjects[second].kind == "umbrella" and subjects[first].kind == "person":
        held = replace(subjects[second], relation="held", target=first, count=subjects[first].count)
        subjects[second] = held
    elif relation == "behind":
        subjects[second] = replace(subjects[second], relation="front", target=first)
    elif relation != "beside":
        subjects[first] = replace(subjects[first], relation=relation, target=second)
