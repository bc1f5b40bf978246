"""Prices: signs and codes of currencies behind their amounts."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.numerals import DASH, NUMBER, spoken_number
from vivavoce.text.english.rule import Rule, rule

_CURRENCIES: Final = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "HK$": "港元",
                      "NT$": "新台币", "A$": "澳元", "C$": "加元", "S$": "新加坡元", "R$": "雷亚尔", "₹": "卢比",
                      "₽": "卢布", "₺": "里拉", "₫": "越南盾", "₱": "比索", "฿": "泰铢", "₦": "奈拉", "₪": "谢克尔",
                      "₴": "格里夫纳", "₿": "比特币", "₸": "坚戈", "₵": "塞地", "₡": "科朗",
                      "₮": "图格里克"}  # fmt: skip
_CODES: Final = {
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "JPY": "日元",
    "CNY": "元",
    "RMB": "元",
    "HKD": "港元",
    "KRW": "韩元",
    "TWD": "新台币",
    "AUD": "澳元",
    "CAD": "加元",
    "CHF": "瑞士法郎",
    "SGD": "新加坡元",
}
_MANY: Final = {"k": "千", "K": "千", "M": "百万", "m": "百万", "B": "十亿", "bn": "十亿", "": ""}
_SIGN: Final = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))


def _money(found: re.Match[str]) -> str:
    last = f"到{found['last']}" if found["last"] else ""
    minus = "负" if found["minus"] or found["inner"] else ""
    amount, many = found["amount"], _MANY[found["many"] or ""]
    if many == "百万" and not last:
        amount, many = f"{float(amount) * 100:.12g}", "万"
    elif many == "十亿" and not last:
        amount, many = f"{float(amount) * 10:.12g}", "亿"
    if last or _CURRENCIES[found["sign"]] not in ("元", "美元"):
        amount, last = spoken_number(amount), f"到{spoken_number(found['last'])}" if last else ""
    return minus + amount + last + many + (found["han"] or "") + _CURRENCIES[found["sign"]]


CODES: Final[tuple[Rule, ...]] = (
    rule(rf"({NUMBER})[ ]?({'|'.join(_CODES)})(?![A-Za-z])", lambda m: spoken_number(m[1]) + _CODES[m[2]]),
    rule(rf"(?<![A-Za-z])({'|'.join(_CODES)})[ ]?({NUMBER})([万亿]?)",
         lambda m: spoken_number(m[2]) + m[3] + _CODES[m[1]]),
)  # fmt: skip

MONEY: Final[tuple[Rule, ...]] = (
    rule(rf"(?P<minus>(?<![\d\w]){DASH})?(?:US(?=\$))?(?P<sign>{_SIGN})[ ]?(?P<inner>{DASH}?)(?P<amount>{NUMBER})"
         rf"(?:[ ]?[-–~～][ ]?(?:{_SIGN})?(?P<last>{NUMBER}))?(?P<many>(?:k|K|M|m|B|bn)(?![A-Za-z]))?[ ]?"
         r"(?P<han>[万亿千百]{0,2})", _money),
)  # fmt: skip
