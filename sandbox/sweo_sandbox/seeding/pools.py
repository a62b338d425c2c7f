"""Pools of words to draw from. Faker fills the pools only: it makes some 1,400 rows a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faker import Faker

_POOL_SIZE = 400
RIGHT_TO_LEFT = ("شركة النور للتجارة", "חברת השמש בע״מ", "مؤسسة الأفق الجديد", "קבוצת הים התיכון")
EMOJI = (
    "🚀 Rocket Labs",
    "Café ☕ & Söhne",
    "👩‍💻 Dev House",
    "日本ソフト株式会社 🇯🇵",
    "Naïve Crème 🍦",
)
RIGHT_TO_LEFT_NAMES = (("محمد", "الأحمد"), ("נועה", "כהן"), ("ليلى", "حداد"))
INDUSTRIES = (
    "Agriculture",
    "Banking",
    "Biotechnology",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Finance",
    "Government",
    "Healthcare",
    "Insurance",
    "Manufacturing",
    "Media",
    "Retail",
    "Technology",
    "Telecommunications",
    "Transportation",
)
ACCOUNT_TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Other")
PLANS = ("Free", "Pro", "Enterprise")
REGIONS = ("AMER", "APAC", "EMEA")
PRODUCT_ROLES = ("Admin", "Member", "Viewer")


@dataclass(frozen=True)
class Pools:
    """Words of one random seed."""

    companies: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    titles: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    sentences: tuple[str, ...]


def make_pools(random_seed: int) -> Pools:
    """The pools of a seed; the same seed gives the same words."""
    faker = Faker(["en_US", "de_DE", "es_ES"])
    faker.seed_instance(random_seed)

    def some(make: Callable[[], str], count: int = _POOL_SIZE) -> tuple[str, ...]:
        return tuple(str(make()).replace("\n", ", ") for _ in range(count))

    return Pools(
        companies=some(faker.company),
        first_names=some(faker.first_name),
        last_names=some(faker.last_name),
        titles=some(faker.job, 100),
        streets=some(faker.street_address, 200),
        cities=some(faker.city, 200),
        sentences=some(faker.sentence, 100),
    )
