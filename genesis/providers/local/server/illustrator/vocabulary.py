"""The words the illustrator can draw, and what each of them names."""

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal[
    "subject", "ground", "time", "feature", "season", "color", "count", "size", "style", "mood", "relation",
    "posture", "background", "sky", "negation",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """What a word or phrase names: its role in a scene, the element's name, and a color that the word implies."""

    role: Role
    name: str
    color: str | None = None


# Each entry is "element: synonyms"; an underscore joins the words of a phrase; "word=color" implies a color.
SUBJECT_WORDS: Final = """
cat: cat kitten kitty
dog: dog puppy hound corgi labrador
fox: fox
wolf: wolf husky
rabbit: rabbit bunny hare
bear: bear polar_bear=white teddy_bear
horse: horse pony stallion mare foal
unicorn: unicorn
elephant: elephant
owl: owl
penguin: penguin
bird: bird sparrow robin=red raven=black crow=black seagull=white gull=white songbird dove=white swallow=navy
duck: duck duckling=yellow
fish: fish goldfish=orange koi=orange salmon=pink
whale: whale
butterfly: butterfly moth=beige
dragon: dragon
robot: robot android droid
person: person man woman girl boy child people human traveler wanderer hiker kid king queen
astronaut: astronaut cosmonaut spaceman
sailboat: sailboat boat yacht sailing_boat sail_boat
ship: ship cargo_ship ocean_liner cruise_ship steamship
car: car automobile sports_car taxi=yellow
bus: bus
train: train locomotive steam_train
bicycle: bicycle bike
airplane: airplane plane aeroplane aircraft jet
rocket: rocket spaceship spacecraft space_shuttle
balloon: hot_air_balloon hot-air_balloon balloon
house: house cottage cabin home hut farmhouse barn=red
castle: castle fortress palace
lighthouse: lighthouse
windmill: windmill mill
bridge: bridge
tower: tower skyscraper
tree: tree oak oak_tree maple maple_tree cherry_tree=pink apple_tree cherry_blossom=pink
pine: pine pine_tree fir fir_tree spruce christmas_tree
palm: palm palm_tree
cactus: cactus cacti
flower: flower daisy=white tulip=red sunflower=yellow rose=red blossom poppy=red
mushroom: mushroom toadstool
apple: apple
fruit bowl: fruit_bowl bowl_of_fruit fruit fruits
cup: cup mug coffee coffee_cup cup_of_coffee cup_of_tea teacup tea
lamp: lamp desk_lamp table_lamp
lantern: lantern
street lamp: street_lamp streetlamp lamppost street_light streetlight
book: book novel
guitar: guitar acoustic_guitar
clock: clock alarm_clock
vase: vase
heart: heart
star: star
umbrella: umbrella parasol
"""

GROUND_WORDS: Final = """
sea: sea ocean harbor bay waves wave water
beach: beach coast shore seaside island
lake: lake pond
river: river stream creek brook
mountains: mountain mountains alps peak cliff canyon mountain_range
hills: hill valley hillside
city: city skyline town metropolis downtown cityscape building urban tokyo paris london new_york
street: street road highway avenue
forest: forest woods jungle woodland grove pine_forest
desert: desert dune dunes sahara sand
meadow: meadow field grass garden countryside prairie lawn park pasture
snowfield: tundra arctic antarctica iceberg
space: space outer_space cosmos universe orbit
moonscape: moonscape lunar lunar_surface surface_of_the_moon on_the_moon
underwater: underwater coral reef coral_reef under_the_sea seabed aquarium under_water
table: table desk still_life kitchen shelf wooden_table
room: room interior bedroom living_room library cafe indoors indoor
studio: studio plain_background icon logo isolated sticker
"""

TIME_WORDS: Final = """
sunset: sunset golden_hour golden_light evening sundown
dawn: dawn sunrise morning daybreak
day: day daytime noon midday sunny daylight afternoon blue_sky
twilight: twilight dusk blue_hour
night: night midnight nighttime night_sky moonlit nocturnal
storm: storm stormy overcast thunderstorm gloomy
neon: neon_lights cyberpunk synthwave vaporwave
"""

FEATURE_WORDS: Final = """
rain: rain rainy raining drizzle
snow: snowing snowfall snowflake blizzard
fog: fog foggy mist misty haze hazy
aurora: aurora northern_lights aurora_borealis
rainbow: rainbow
stars: stars starry starry_sky starlight
galaxy: galaxy milky_way nebula
moon: moon full_moon moonlight crescent_moon
sun: sun sunshine
planet: planet saturn=gold jupiter mars=red earth=blue
clouds: cloud clouds cloudy
lightning: lightning thunder
meteor: shooting_star meteor comet
fireflies: firefly fireflies
flowers: wildflower wildflowers field_of_flowers flower_field flower_meadow flower_garden blooming
"""

SEASON_WORDS: Final = """
winter: winter wintry snowy snow snow-covered frozen
autumn: autumn fall autumnal
spring: spring springtime
summer: summer
"""

STYLE_WORDS: Final = """
flat: vector flat flat_vector flat_design vector_art flat_illustration
watercolor: watercolor watercolour aquarelle watercolor_painting gouache
oil: oil oil_painting oil_paint impressionist impressionism monet van_gogh oil_on_canvas expressionist
pencil: pencil sketch pencil_drawing pencil_sketch drawing charcoal graphite line_drawing
pixel: pixel_art pixelart pixel 8-bit 8bit 16-bit retro_game
cinematic: cinematic film movie film_still cinematography photorealistic photographic realistic
neon: neon neon_style neon_glow glowing_neon
comic: comic comic_book ink manga cartoon inked graphic_novel pop_art anime
minimal: minimal minimalist minimalistic minimalism
vintage: vintage retro sepia old_photo faded antique polaroid
"""

MOOD_WORDS: Final = """
sunset: romantic epic dramatic majestic golden warm heroic nostalgic
dawn: calm peaceful serene tranquil quiet gentle soft pastel hopeful silent fresh
day: happy cheerful joyful bright vivid playful colorful fun
twilight: dreamy magical magic enchanted fantasy fairy fairytale surreal whimsical mystical
night: mysterious eerie spooky haunted dark gothic cosmic lonely secret
storm: sad melancholy melancholic gray_mood bleak ominous angry wild moody
neon: futuristic sci-fi science_fiction electric dystopian
"""

POSTURE_WORDS: Final = "flying: flying soaring hovering floating gliding"

RELATION_WORDS: Final = """
on: on upon on_top_of riding crossing atop in inside aboard
front: in_front_of before
behind: behind
under: under beneath below underneath
over: over above
beside: next_to beside by near with and alongside
"""

COLOR_SYNONYMS: Final = """
red: scarlet ruby vermilion
orange: ginger tangerine copper
gold: golden amber
green: olive mint sage
emerald: jade
yellow: lemon blonde
cyan: aqua azure
blue: sapphire cobalt
purple: plum
lavender: lilac
magenta: fuchsia
pink: rose-colored salmon-colored
brown: chocolate tan auburn
gray: grey
cream: ivory
black: ebony
"""

COUNT_WORDS: Final[dict[str, int]] = {
    "a": 1, "an": 1, "one": 1, "single": 1, "lone": 1, "two": 2, "pair of": 2, "couple of": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 9, "dozen": 9, "several": 4, "few": 3, "some": 3,
    "many": 7, "flock of": 7, "herd of": 5, "group of": 4, "bunch of": 5, "row of": 5,
}  # fmt: skip

SIZE_WORDS: Final[dict[str, float]] = {
    "huge": 1.45, "giant": 1.45, "enormous": 1.5, "massive": 1.45, "gigantic": 1.5, "colossal": 1.5, "big": 1.25,
    "large": 1.25, "tall": 1.2, "small": 0.66, "little": 0.72, "tiny": 0.45, "miniature": 0.45, "distant": 0.5,
}  # fmt: skip

# Words that name how a picture is made or praise it, and the grammar between the words that count.
PLAIN_WORDS: Final = frozenset(
    """
the of at to from for into onto off out up down around across along through between among over as is are was be
being been am it its it's his her their my your our this that these those there here which who whose where while
when then than so very really quite too also just only but or nor both each every all any another other such like
i me we you he she they them him us do does did has have had can could will would should may might must
painting paintings paint painted art artwork illustration illustrated photo photograph photography picture image
render rendering rendered 3d 2d 4k 8k hd uhd hdr detailed detail details highly ultra hyper super extremely
intricate masterpiece trending artstation unreal engine octane style styled stylized high quality best resolution
res professional award winning digital concept poster wallpaper closeup close close-up portrait view wide angle shot
background foreground scene scenery landscape vista panorama panoramic composition lighting light lit shading
beautiful pretty lovely nice gorgeous stunning amazing cute adorable elegant simple clean sharp focus crisp
aesthetic please draw create generate make show showing depicting depicts featuring canvas brush strokes texture
standing sitting surface middle center left right side top bottom s t re color colored colors color-scheme
pair couple group bunch set made
""".split()
)

NEGATION_WORDS: Final = frozenset({"no", "without", "not"})

PLURAL_ONLY: Final[dict[str, str]] = {
    "stars": "feature:stars", "moons": "feature:moon", "children": "subject:person", "people": "subject:person",
    "men": "subject:person", "women": "subject:person", "wolves": "subject:wolf",
    "leaves": "season:autumn",
}  # fmt: skip

HABITATS: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("whale", "ship", "sailboat"),
    "lake": ("duck",),
    "beach": ("palm", "umbrella"),
    "coast": ("lighthouse",),
    "snowfield": ("penguin",),
    "underwater": ("fish",),
    "space": ("rocket",),
    "moonscape": ("astronaut",),
    "street": ("car", "bus", "bicycle", "street lamp"),
    "rails": ("train",),
    "gorge": ("bridge",),
    "mountain meadow": ("castle", "dragon", "balloon", "airplane", "horse", "unicorn", "wolf"),
    "meadow": (
        "cat", "dog", "rabbit", "bird", "butterfly", "house", "windmill", "tree", "flower", "person", "elephant",
    ),
    "forest": ("fox", "bear", "mushroom", "pine", "owl"),
    "desert": ("cactus",),
    "city": ("tower",),
    "table": ("apple", "fruit bowl", "cup", "lamp", "lantern", "book", "clock", "vase", "guitar"),
    "studio": ("heart", "star", "robot"),
}  # fmt: skip
"""Where a subject is shown when the prompt names no ground."""


def _entries(block: str) -> list[tuple[str, list[str]]]:
    lines = (line.partition(":") for line in block.strip().splitlines())
    return [(name.strip(), words.split()) for name, _, words in lines]


def _build() -> dict[str, Term]:
    lexicon: dict[str, Term] = {}
    tables: tuple[tuple[Role, str], ...] = (
        ("mood", MOOD_WORDS), ("relation", RELATION_WORDS), ("posture", POSTURE_WORDS), ("color", COLOR_SYNONYMS),
        ("season", SEASON_WORDS), ("feature", FEATURE_WORDS), ("time", TIME_WORDS), ("ground", GROUND_WORDS),
        ("subject", SUBJECT_WORDS), ("style", STYLE_WORDS),
    )  # fmt: skip
    for role, block in tables:
        for name, words in _entries(block):
            for word in words:
                text, _, color = word.partition("=")
                lexicon[text.replace("_", " ")] = Term(role, name, color or None)
    for word, text in PLURAL_ONLY.items():
        kind, _, name = text.partition(":")
        lexicon[word] = Term("feature" if kind == "feature" else "season" if kind == "season" else "subject", name)
    lexicon["sky"] = Term("sky", "sky")
    lexicon["background"] = lexicon["backdrop"] = Term("background", "studio")
    for word in NEGATION_WORDS:
        lexicon[word] = Term("negation", word)
    lexicon.update({word: Term("count", word) for word in COUNT_WORDS})
    lexicon.update({word: Term("size", word) for word in SIZE_WORDS})
    return lexicon


LEXICON: Final = _build()
"""Every known word and phrase, in lower case with single spaces; colors' own names come from the palette."""
