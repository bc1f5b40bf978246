"""Chinese and Japanese: small repairs of what their own front ends misread.

Those front ends turn numbers into words themselves, but drop currency signs and stumble over thousands commas.
Called by `normalize`.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.mapped import MappedText

_CURRENCIES: Final[dict[str, dict[str, str]]] = {
    "zh": {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "HK$": "港元"},
    "ja": {"$": "ドル", "€": "ユーロ", "£": "ポンド", "¥": "円", "￥": "円", "₩": "ウォン", "HK$": "香港ドル"},
}
_MINUS: Final = re.compile(r"(?<![\d\w%）)])[–−‒－-](?=\d)|(?<=[\u3041-\u30ff\u4e00-\u9fff])[–−-](?=\d)")
_THOUSANDS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?!\d)")
_PRICE: Final = re.compile(r"(?:US(?=\$))?(HK\$|[$€£¥￥₩])\s?(\d++(?:\.\d++)?+\s?[万亿千百萬億兆]{0,2})")


def repair(text: MappedText, language: str) -> MappedText:
    """Thousands commas go, a currency sign becomes a word behind its amount."""
    text = text.sub(_MINUS, "マイナス")
    text = text.sub(_THOUSANDS, lambda found: found[0].replace(",", ""))
    names = _CURRENCIES[language]
    return text.sub(_PRICE, lambda found: found[2].strip() + names[found[1]])
