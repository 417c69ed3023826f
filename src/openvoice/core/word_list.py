"""Two lists of 256 words for what is read aloud: one octet is one word (docs/verification-words.md).

The words of the first list have two syllables, those of the second three or more, so that a word that was dropped,
said twice or swapped with the next is heard. Between any two of all 512 lie at least three letters that must be
changed, added or left out, and none begins with another. The order is part of the protocol: never change it.
"""

from __future__ import annotations

_FIRST = """
    acorn album almond anchor ankle apron artist autumn badger balloon bamboo banjo barley basket bedroom berry
    blossom bottle bracelet breakfast bubble butter cabbage cabin cactus camel canyon captain cargo carpet castle
    chicken chimney cider circus closet coffee compass concert copper cotton cowboy crystal cupboard cushion daisy
    dancer dentist desert diesel doctor dolphin donkey doorbell dragon drummer duckling eagle earring echo eggplant
    elbow engine evening fabric falcon farmer feather fiddle finger flannel flower football forest fossil fountain
    freezer garden garlic gateway gemstone giraffe glacier goblet goggles granite gravel guitar gymnast hamster
    harvest headlight hedgehog helmet hilltop hornet hotel iceberg igloo insect island jaguar jersey jigsaw journal
    judo kayak kennel keyboard kidney kingdom kitchen knuckle lagoon lantern laptop laundry lawyer lemon lettuce
    lighthouse lilac lizard lobster locket lumber magnet marble meadow merchant mermaid message metal midnight
    mirror mitten monsoon morning muffin mushroom music mustard napkin needle nephew nickel notebook nutmeg oatmeal
    ocean office olive onion orchard ostrich outfit painter palace pancake panda paper parrot pastry peacock peanut
    pencil penguin picnic pigeon pillow pirate pizza pony popcorn poplar porridge postcard powder pudding pumpkin
    puppet puzzle python quarry quartet rabbit raccoon radar radish railway rainbow raisin reindeer ribbon robot
    rooftop rugby runway saffron sailor salad sandwich sapphire satchel saturn sausage scarecrow scooter seagull
    seashell season shampoo shepherd shoulder shuttle sister slipper snowflake spinach squirrel sticker stomach
    student sugar sunset surgeon swallow sweater teapot temple tennis thimble thunder tortoise tractor traffic
    trolley trophy trumpet tulip turtle village vulture waffle wallet walrus warehouse weekend whisker whistle
    window wombat workshop yogurt zebra zigzag
"""

_SECOND = """
    acrobat adventure afternoon allergy alphabet ambition ambulance amethyst animal antelope apartment apology
    appetite apricot architect artichoke assembly astronaut bachelor badminton banana barbecue bicycle blueberry
    boulevard broccoli buffalo bungalow calendar canopy capital caravan cardigan carnival carpenter cathedral
    celebrate century champion chandelier cinema cinnamon classical clementine coconut collection commander computer
    confetti container continent corridor courtesy crocodile cucumber cylinder daffodil decorate delicious detective
    diameter dinosaur diploma director discovery document domino electric elegant embassy emerald encounter
    entertain equipment evergreen exercise festival firefighter fisherman flamingo forever fortunate furniture
    galaxy generous gentleman gigantic gingerbread gondola gorilla grandfather grapefruit grasshopper habitat
    hamburger handkerchief harmony hazelnut hexagon hibiscus holiday honeycomb horizon hospital hurricane hyacinth
    imitate indigo industry instrument interview invention jamboree javelin jellyfish jubilee juniper kangaroo
    kimono kingfisher lasagna lavender liberty limousine locomotive lollipop lullaby magazine magician mahogany
    manager marathon marigold marshmallow mascara mayonnaise mechanic medallion melody meteor metronome microscope
    miracle molecule mosquito motorbike multiply museum navigate newspaper nightingale numerous nutrition obstacle
    octopus omelette orchestra organist ornament outsider overcoat papaya paprika papyrus parachute parakeet
    passenger pavilion peninsula peppermint photograph piccolo pineapple platinum porcelain porcupine potato
    professor propeller pyramid rainwater raspberry recipe rectangle referee remember reptile residence rosemary
    roundabout sanctuary sandalwood satellite scientist screwdriver sesame signature silhouette silverware skeleton
    skyscraper snowmobile sombrero somersault souvenir spaghetti spatula spectacle storyteller strawberry submarine
    sunflower syllable symphony tablespoon tambourine tapestry teenager telescope tentacle terrific together
    tomorrow tornado tradition trampoline treasurer triangle tropical troubadour turbulence typewriter umbrella
    uniform universe vagabond valentine vanilla variety ventilate vinegar violin vitamin volcano volunteer wallpaper
    waterfall weatherman wheelbarrow whenever wilderness wonderful woodpecker xylophone yellowtail yesterday
"""
FIRST = tuple(_FIRST.split())
"""For the first and the third octet."""
SECOND = tuple(_SECOND.split())
"""For the second and the fourth octet."""


def words_of(octets: bytes) -> tuple[str, ...]:
    """One word for each octet, by turns from both lists."""
    return tuple((SECOND if place % 2 else FIRST)[octet] for place, octet in enumerate(octets))
