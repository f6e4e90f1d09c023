"""Values nobody shares unless told to: addresses, domains, hashes, accounts. All reserved for examples."""

from __future__ import annotations

from random import Random

_WORDS = (
    "amber anchor arch bamboo basin beacon birch breeze bridge brook canyon cedar chime cliff cloud clover copper "
    "coral "
    "creek crest dawn delta drift dune ember falcon fern field flint fog forge frost gale garnet glade grove harbor "
    "haze "
    "heron hill hollow iris island ivory jade juniper kelp lagoon lake lantern larch laurel ledge linen lotus maple "
    "marsh "
    "meadow mesa mint mist moss north oak olive opal orchid otter palm pearl pebble pine plum pond prairie quartz "
    "quill "
    "rain raven reed ridge river robin rose sage sail salt shell shore silk slate snow spruce star stone storm "
    "summit sun "
    "swift thistle tide timber trail tulip vale velvet violet wave west wharf willow wind winter wren yarrow zephyr"
).split()

_VICTIM_NETS = ("192.0.2", "198.51.100", "203.0.113")


class Fresh:
    """Draws from one Random; a value handed out is never handed out again."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._addresses: set[int] = set()
        self._names: set[str] = set()

    def ip(self) -> str:
        """An address on the outside, of 198.18.0.0/15 while that lasts and then of 2001:db8::/32."""
        if len(self._addresses) > 100_000:  # drawing from a nearly empty urn would take for ever
            return f"2001:db8::{self.hex(8)[:4]}:{self.hex(8)[:4]}:{self.hex(8)[:4]}"
        number = self._rng.getrandbits(17)
        while number in self._addresses:
            number = self._rng.getrandbits(17)
        self._addresses.add(number)
        return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"

    def inside(self) -> str:
        """An address of the institution itself. Many institutions use the same ones."""
        return f"{self._rng.choice(_VICTIM_NETS)}.{1 + self._rng.getrandbits(8) % 254}"

    def name(self) -> str:
        """Two words and a number, such as `copper-tide-41`."""
        while True:
            drawn = f"{self._rng.choice(_WORDS)}-{self._rng.choice(_WORDS)}-{self._rng.getrandbits(14)}"
            if drawn not in self._names:
                self._names.add(drawn)
                return drawn

    def domain(self) -> str:
        return f"{self.name()}.example"

    def hex(self, digits: int) -> str:
        """As many hexadecimal digits; 16 and more do not repeat within an exercise."""
        return f"{self._rng.getrandbits(4 * digits):0{digits}x}"

    def letters(self, count: int) -> str:
        """As many capital letters."""
        return "".join(self._rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=count))

    def sha256(self) -> str:
        return self.hex(64)

    def token(self) -> str:
        """A victim's account as it travels: an HMAC, never the account."""
        return self.hex(64)

    def ja4(self) -> str:
        return f"t13d{1000 + self._rng.getrandbits(9)}h2_{self.hex(12)}_{self.hex(12)}"
