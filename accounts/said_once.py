"""Words that pages say again and again, put together once in each language.

A list of fifty rows looks up six hundred texts of the catalogue, and each costs several microseconds, most of them for
asking which language is active. Here that is asked once for a whole phrase.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import TypeVar, cast

from django.utils.translation import get_language

Said = TypeVar("Said", bound=Callable[..., Hashable])


def said_once(of_the_latest: int) -> Callable[[Said], Said]:
    """Keeps what a pure function of words answers, by the active language and its arguments.

    Only for functions whose arguments are plain values and whose answer follows from them and the catalogue alone.
    `of_the_latest` answers are kept; the oldest gives way.
    """

    def keeping(say: Said) -> Said:
        @lru_cache(maxsize=of_the_latest)
        def kept(_language: str | None, *values: Hashable) -> Hashable:
            return say(*values)

        @wraps(say)
        def once(*values: Hashable) -> Hashable:
            return kept(get_language(), *values)

        return cast(Said, once)

    return keeping
