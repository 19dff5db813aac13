"""Labels of public data sets, and what users write, said as one thing and as two.

The words were judged by eye, not made by the code. Names are as in the data sets: their capitals
stay, and so does what is in parentheses.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from i2t_ros.language import inflection
from i2t_ros.language.catalog import Languages
from i2t_ros.language.grammar import Language
from i2t_ros.resources import config_path

DATA_SETS = """
# Open Images
Aircraft | an Aircraft | two Aircraft
Axe | an Axe | two Axes
Baked goods | Baked goods | two Baked goods
Bat (Animal) | a Bat (Animal) | two Bats (Animal)
Binoculars | Binoculars | two Binoculars
Bow and arrow | a Bow and arrow | two Bows and arrows
Box | a Box | two Boxes
Brassiere | a Brassiere | two Brassieres
Burrito | a Burrito | two Burritos
Butterfly | a Butterfly | two Butterflies
Cabinetry | a piece of Cabinetry | two pieces of Cabinetry
Cat furniture | a piece of Cat furniture | two pieces of Cat furniture
Cattle | Cattle | two Cattle
Chest of drawers | a Chest of drawers | two Chests of drawers
Chopsticks | Chopsticks | two Chopsticks
Clothing | a piece of Clothing | two pieces of Clothing
Computer mouse | a Computer mouse | two Computer mice
Cosmetics | Cosmetics | two Cosmetics
Cutting board | a Cutting board | two Cutting boards
Deer | a Deer | two Deer
Dice | Dice | two Dice
Dragonfly | a Dragonfly | two Dragonflies
Dress | a Dress | two Dresses
Drill (Tool) | a Drill (Tool) | two Drills (Tool)
Earrings | Earrings | two Earrings
Egg (Food) | an Egg (Food) | two Eggs (Food)
Envelope | an Envelope | two Envelopes
Fast food | a portion of Fast food | two portions of Fast food
Fax | a Fax | two Faxes
Fish | a Fish | two Fish
Flying disc | a Flying disc | two Flying discs
Fox | a Fox | two Foxes
French fries | French fries | two French fries
Furniture | a piece of Furniture | two pieces of Furniture
Garden Asparagus | a bunch of Garden Asparagus | two bunches of Garden Asparagus
Glasses | Glasses | two Glasses
Goggles | Goggles | two Goggles
Goldfish | a Goldfish | two Goldfish
Goose | a Goose | two Geese
Headphones | Headphones | two Headphones
Hiking equipment | a piece of Hiking equipment | two pieces of Hiking equipment
Hippopotamus | a Hippopotamus | two Hippopotamuses
Human body | a Human body | two Human bodies
Human foot | a Human foot | two Human feet
Human hair | a head of Human hair | two heads of Human hair
Ice cream | an Ice cream | two Ice creams
Ipod | an Ipod | two Ipods
Jacuzzi | a Jacuzzi | two Jacuzzis
Jaguar (Animal) | a Jaguar (Animal) | two Jaguars (Animal)
Jeans | Jeans | two Jeans
Jellyfish | a Jellyfish | two Jellyfish
Jet ski | a Jet ski | two Jet skis
Juice | a Juice | two Juices
Kitchen & dining room table | a Kitchen & dining room table | two Kitchen & dining room tables
Lily | a Lily | two Lilies
Luggage and bags | Luggage and bags | two Luggage and bags
Lynx | a Lynx | two Lynxes
Man | a Man | two Men
Mango | a Mango | two Mangoes
Maracas | Maracas | two Maracas
Marine invertebrates | Marine invertebrates | two Marine invertebrates
Moths and butterflies | Moths and butterflies | two Moths and butterflies
Office supplies | Office supplies | two Office supplies
Organ (Musical Instrument) | an Organ (Musical Instrument) | two Organs (Musical Instrument)
Ostrich | an Ostrich | two Ostriches
Oyster | an Oyster | two Oysters
Palm tree | a Palm tree | two Palm trees
Pastry | a Pastry | two Pastries
Power plugs and sockets | Power plugs and sockets | two Power plugs and sockets
Punching bag | a Punching bag | two Punching bags
Rays and skates | Rays and skates | two Rays and skates
Rhinoceros | a Rhinoceros | two Rhinoceroses
Roller skates | Roller skates | two Roller skates
Salt and pepper shakers | Salt and pepper shakers | two Salt and pepper shakers
Scarf | a Scarf | two Scarves
Seafood | a portion of Seafood | two portions of Seafood
Shelf | a Shelf | two Shelves
Shorts | Shorts | two Shorts
Shrimp | a Shrimp | two Shrimp
Snowman | a Snowman | two Snowmen
Sports equipment | a piece of Sports equipment | two pieces of Sports equipment
Squash (Plant) | a Squash (Plant) | two Squashes (Plant)
Squid | a Squid | two Squid
Stairs | Stairs | two Stairs
Starfish | a Starfish | two Starfish
Sunglasses | Sunglasses | two Sunglasses
Swimwear | a piece of Swimwear | two pieces of Swimwear
Taxi | a Taxi | two Taxis
Tomato | a Tomato | two Tomatoes
Trousers | Trousers | two Trousers
Unicycle | a Unicycle | two Unicycles
Volleyball (Ball) | a Volleyball (Ball) | two Volleyballs (Ball)
Watercraft | a Watercraft | two Watercraft
Woman | a Woman | two Women
Wood-burning stove | a Wood-burning stove | two Wood-burning stoves
Zucchini | a Zucchini | two Zucchinis
# Objects365
American Football | an American Football | two American Footballs
Baozi | a Baozi | two Baozi
Barrel/bucket | a Barrel/bucket | two Barrels/buckets
Blackboard/Whiteboard | a Blackboard/Whiteboard | two Blackboards/Whiteboards
Boots | Boots | two Boots
Bowl/Basin | a Bowl/Basin | two Bowls/Basins
Bread | a piece of Bread | two pieces of Bread
Cabinet/shelf | a Cabinet/shelf | two Cabinets/shelves
Candy | a piece of Candy | two pieces of Candy
CD | a CD | two CDs
Cherry | a Cherry | two Cherries
Chips | Chips | two Chips
Cleaning Products | Cleaning Products | two Cleaning Products
Cookies | Cookies | two Cookies
Corn | an ear of Corn | two ears of Corn
Cutting/chopping Board | a Cutting/chopping Board | two Cutting/chopping Boards
Extension Cord | an Extension Cord | two Extension Cords
Formula 1 | a Formula 1 | two Formula 1s
Garlic | a head of Garlic | two heads of Garlic
Gloves | Gloves | two Gloves
Green Vegetables | Green Vegetables | two Green Vegetables
Green beans | Green beans | two Green beans
Hot-air balloon | a Hot-air balloon | two Hot-air balloons
Induction Cooker | an Induction Cooker | two Induction Cookers
Kiwi fruit | a Kiwi fruit | two Kiwi fruits
Leather Shoes | Leather Shoes | two Leather Shoes
Lettuce | a head of Lettuce | two heads of Lettuce
Luggage | a piece of Luggage | two pieces of Luggage
Monitor/TV | a Monitor/TV | two Monitors/TVs
Notepaper | a sheet of Notepaper | two sheets of Notepaper
Nuts | Nuts | two Nuts
Orange/Tangerine | an Orange/Tangerine | two Oranges/Tangerines
Other Balls | Other Balls | two Other Balls
Other Shoes | Other Shoes | two Other Shoes
Pliers | Pliers | two Pliers
Radish | a Radish | two Radishes
Rice | a portion of Rice | two portions of Rice
SUV | an SUV | two SUVs
Sandals | Sandals | two Sandals
Skating and Skiing shoes | Skating and Skiing shoes | two Skating and Skiing shoes
Slippers | Slippers | two Slippers
Sneakers | Sneakers | two Sneakers
Spring Rolls | Spring Rolls | two Spring Rolls
Street Lights | Street Lights | two Street Lights
Tape Measure/Ruler | a Tape Measure/Ruler | two Tape Measures/Rulers
Toilet Paper | a roll of Toilet Paper | two rolls of Toilet Paper
Toiletry | a Toiletry | two Toiletries
Urinal | a Urinal | two Urinals
Wild Bird | a Wild Bird | two Wild Birds
Other Fish | an Other Fish | two Other Fish
# LVIS
Band_Aid | a Band Aid | two Band Aids
Christmas_tree | a Christmas tree | two Christmas trees
Dixie_cup | a Dixie cup | two Dixie cups
Ferris_wheel | a Ferris wheel | two Ferris wheels
French_toast | a piece of French toast | two pieces of French toast
T-shirt | a T-shirt | two T-shirts
armor | a piece of armor | two pieces of armor
ax | an ax | two axes
bow_(decorative_ribbons) | a bow (decorative ribbons) | two bows (decorative ribbons)
bow-tie | a bow-tie | two bow-ties
brussels_sprouts | brussels sprouts | two brussels sprouts
bus_(vehicle) | a bus (vehicle) | two buses (vehicle)
calf | a calf | two calves
camera_lens | a camera lens | two camera lenses
car_(automobile) | a car (automobile) | two cars (automobile)
chicken_(animal) | a chicken (animal) | two chickens (animal)
chopstick | a chopstick | two chopsticks
clippers_(for_plants) | clippers (for plants) | two clippers (for plants)
compass | a compass | two compasses
cornmeal | a portion of cornmeal | two portions of cornmeal
die | a die | two dice
doll's_house | a doll's house | two doll's houses
domestic_ass | a domestic ass | two domestic asses
eclair | an eclair | two eclairs
elk | an elk | two elk
first-aid_kit | a first-aid kit | two first-aid kits
fish_(food) | a fish (food) | two fish (food)
flamingo | a flamingo | two flamingos
flip-flop_(sandal) | a flip-flop (sandal) | two flip-flops (sandal)
grits | grits | two grits
handkerchief | a handkerchief | two handkerchiefs
headstall_(for_horses) | a headstall (for horses) | two headstalls (for horses)
hourglass | an hourglass | two hourglasses
iPod | an iPod | two iPods
jewelry | a piece of jewelry | two pieces of jewelry
knocker_(on_a_door) | a knocker (on a door) | two knockers (on a door)
lamb-chop | a lamb-chop | two lamb-chops
legging_(clothing) | a legging (clothing) | two leggings (clothing)
mashed_potato | a mashed potato | two mashed potatoes
mattress | a mattress | two mattresses
mouse_(computer_equipment) | a mouse (computer equipment) | two mice (computer equipment)
octopus_(food) | an octopus (food) | two octopuses (food)
omelet | an omelet | two omelets
overalls_(clothing) | overalls (clothing) | two overalls (clothing)
pajamas | pajamas | two pajamas
pantyhose | pantyhose | two pantyhose
ping-pong_ball | a ping-pong ball | two ping-pong balls
pitcher's_mound | a pitcher's mound | two pitcher's mounds
pocketknife | a pocketknife | two pocketknives
pan_(for_cooking) | a pan (for cooking) | two pans (for cooking)
railcar_(part_of_a_train) | a railcar (part of a train) | two railcars (part of a train)
saddle_(on_an_animal) | a saddle (on an animal) | two saddles (on an animal)
scissors | a pair of scissors | two pairs of scissors
shears | shears | two shears
stylus | a stylus | two styluses
suspenders | suspenders | two suspenders
sweat_pants | sweat pants | two sweat pants
tights_(clothing) | tights (clothing) | two tights (clothing)
tongs | tongs | two tongs
tux | a tux | two tuxes
underwear | a piece of underwear | two pieces of underwear
urn | an urn | two urns
watering_can | a watering can | two watering cans
wolf | a wolf | two wolves
wet_suit | a wet suit | two wet suits
# ADE20K
apparel | a piece of apparel | two pieces of apparel
bus | a bus | two buses
crt screen | a crt screen | two crt screens
grass | an area of grass | two areas of grass
ottoman | an ottoman | two ottomans
sand | an area of sand | two areas of sand
sky | an area of sky | two areas of sky
streetlight | a streetlight | two streetlights
water | an area of water | two areas of water
person | a person | two people
# xView
Fixed-wing Aircraft | a Fixed-wing Aircraft | two Fixed-wing Aircraft
Small Aircraft | a Small Aircraft | two Small Aircraft
Truck w/Box | a Truck w/Box | two Trucks w/Box
Truck w/Flatbed | a Truck w/Flatbed | two Trucks w/Flatbed
Hut/Tent | a Hut/Tent | two Huts/Tents
Front loader/Bulldozer | a Front loader/Bulldozer | two Front loaders/Bulldozers
Utility Truck | a Utility Truck | two Utility Trucks
# VisDrone, DOTA and Cityscapes
people | people | two people
awning-tricycle | an awning-tricycle | two awning-tricycles
vegetation | an area of vegetation | two areas of vegetation
terrain | an area of terrain | two areas of terrain
"""

# What the names of the data sets lack, and what people call the classes of their own models.
OWN = """
# Plural already
stockings | stockings | two stockings
cars | cars | two cars
people | people | two people
women | women | two women
children | children | two children
traffic lights | traffic lights | two traffic lights
menus | menus | two menus
chilis | chilis | two chilis
AGVs | AGVs | two AGVs
HARD HATS | HARD HATS | two HARD HATS
# Singular, although it ends like a plural
bus stop | a bus stop | two bus stops
wine glass (empty) | a wine glass (empty) | two wine glasses (empty)
tennis racket case | a tennis racket case | two tennis racket cases
canvas | a canvas | two canvases
iris | an iris | two irises
cactus | a cactus | two cacti
gas | a gas | two gases
series | a series | two series
species of bird | a species of bird | two species of bird
specimen | a specimen | two specimens
Swiss Army knife | a Swiss Army knife | two Swiss Army knives
# The noun is not the last word
person (walking) | a person (walking) | two people (walking)
person_walking | a person walking | two people walking
person, sitting | a person, sitting | two people, sitting
man on horse | a man on horse | two men on horse
cup of coffee | a cup of coffee | two cups of coffee
worker wearing helmet | a worker wearing helmet | two workers wearing helmet
person w/o helmet | a person w/o helmet | two people w/o helmet
mask_weared_incorrect | a mask weared incorrect | two masks weared incorrect
traffic_light_red | a traffic light red | two traffic lights red
hen-of-the-woods | a hen-of-the-woods | two hens-of-the-woods
passer-by | a passer-by | two passers-by
mother-in-law | a mother-in-law | two mothers-in-law
# The noun is the last word
jack-o-lantern | a jack-o-lantern | two jack-o-lanterns
forget-me-not | a forget-me-not | two forget-me-nots
swimming pool | a swimming pool | two swimming pools
baby changing table | a baby changing table | two baby changing tables
black and white cat | a black and white cat | two black and white cats
cup and saucer | a cup and saucer | two cups and saucers
car/van | a car/van | two cars/vans
building/house | a building/house | two buildings/houses
red/green light | a red/green light | two red/green lights
A/C unit | an A/C unit | two A/C units
jersey/T-shirt | a jersey/T-shirt | two jerseys/T-shirts
car/van (red/white) | a car/van (red/white) | two cars/vans (red/white)
80 km/h sign | an 80 km/h sign | two 80 km/h signs
a cat on a mat | a cat on a mat | two cats on a mat
human | a human | two humans
mongoose | a mongoose | two mongooses
bookshelf | a bookshelf | two bookshelves
photo | a photo | two photos
safety vest. | a safety vest. | two safety vests.
# Acronyms, capitals, numbers
UAV | a UAV | two UAVs
suv | an suv | two suvs
LED lamp | an LED lamp | two LED lamps
USB stick | a USB stick | two USB sticks
UFO | a UFO | two UFOs
URL | a URL | two URLs
ATM | an ATM | two ATMs
MRI scanner | an MRI scanner | two MRI scanners
HDMI cable | an HDMI cable | two HDMI cables
NATO flag | a NATO flag | two NATO flags
MAN | a MAN | two MEN
HELMET | a HELMET | two HELMETS
F-16 | an F-16 | two F-16s
x-ray | an x-ray | two x-rays
L-shaped sofa | an L-shaped sofa | two L-shaped sofas
8-ball | an 8-ball | two 8-balls
18-wheeler | an 18-wheeler | two 18-wheelers
180-degree turn | a 180-degree turn | two 180-degree turns
Xbox controller | an Xbox controller | two Xbox controllers
# Sounds
unicorn | a unicorn | two unicorns
uniform | a uniform | two uniforms
unidentified bag | an unidentified bag | two unidentified bags
Ukrainian flag | a Ukrainian flag | two Ukrainian flags
European flag | a European flag | two European flags
one-way sign | a one-way sign | two one-way signs
ukulele | a ukulele | two ukuleles
honest man | an honest man | two honest men
éclair | an éclair | two éclairs
"exit" sign | an "exit" sign | two "exit" signs
St. Bernard | a St. Bernard | two St. Bernards
# Letters that are not English
Gabelstapler | a Gabelstapler | two Gabelstaplers
coupé | a coupé | two coupés
叉车 | a 叉车 | two 叉车
# Mass nouns
plastic waste | a piece of plastic waste | two pieces of plastic waste
FURNITURE | a piece of FURNITURE | two pieces of FURNITURE
piece of furniture | a piece of furniture | two pieces of furniture
luggage cart | a luggage cart | two luggage carts
facial hair | an area of facial hair | two areas of facial hair
paper towel | a paper towel | two paper towels
suitcase/luggage | a suitcase/luggage | two suitcases/luggage
"""


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


@pytest.fixture(scope="module", params=["inflect", "spelling"])
def english(request: pytest.FixtureRequest) -> Iterator[Language]:
    """Return the language with inflect, and without it."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "spelling":
            patch.setattr(inflection, "_inflector", lambda: None)
        yield Languages(config_path("languages")).get("en")


@pytest.mark.parametrize(("label", "one", "two"), [*rows(DATA_SETS), *rows(OWN)])
def test_one_and_two(english: Language, label: str, one: str, two: str) -> None:
    noun = english.noun(label)

    assert english.count(noun, 1, "sentence") == one
    assert english.count(noun, 2, "sentence") == two


def test_the_table_has_many_labels() -> None:
    labels = [label for label, _, _ in rows(DATA_SETS)]

    assert len(set(labels)) == len(labels) >= 200
