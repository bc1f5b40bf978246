"""Whether "5!=120" takes a factorial or denies that two numbers are equal: the numbers tell. Pure."""

from __future__ import annotations

import math
import re
from typing import Final

FACTORIAL: Final = r"(?<![\w.,])(\d{1,2})![ ]?=(?!=)[ ]?(\d{1,20})(?![\w.])"


def is_factorial(found: re.Match[str]) -> bool:
    """True where the number behind the sign is the factorial of the one in front of it."""
    return math.factorial(int(found[1])) == int(found[2])
