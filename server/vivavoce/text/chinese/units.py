"""Units by their signs as Chinese words: km/h, m², mg/dL, kWh.

Behind some of them the front end reads any figures as an amount; in front of the others they are written as words.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.numerals import NUMBER, spoken_number
from vivavoce.text.english.rule import Rule, rule

_PREFIXES: Final = {"k": "千", "M": "兆", "G": "吉", "m": "毫", "μ": "微", "µ": "微", "u": "微", "n": "纳", "c": "厘",
"d": "分",
                    "h": "百", "": ""}  # fmt: skip
# sign -> (name, prefixes it takes; "-" means that it is none without one)
_BASES: Final = {"m": ("米", "k c d m μ µ u n"), "g": ("克", "k m μ µ u n"), "L": ("升", "m μ µ d"), "l": ("升",
"m μ µ d"),
                 "W": ("瓦", "k M G m"), "Wh": ("瓦时", "k M G"), "V": ("伏", "k m"), "A": ("安", "m μ"),
                 "Ah": ("安时", "m"),
                 "Hz": ("赫兹", "k M G"), "Pa": ("帕", "k M h"), "J": ("焦", "k M"), "cal": ("卡", "k"), "N": ("牛",
                 "k"),
                 "s": ("秒", "m μ µ n"), "mol": ("摩尔", "m μ µ"), "Ω": ("欧", "k M"), "bps": ("比特每秒", "k M G"),
                 "F": ("法", "- μ µ n"), "bit": ("比特", "k M G")}  # fmt: skip
UNITS: Final[dict[str, str]] = {
    **{prefix + sign: _PREFIXES[prefix] + name
       for sign, (name, prefixes) in _BASES.items()
       for prefix in ("", *prefixes.split()) if prefix != "-" and (prefix or "-" not in prefixes)},
    "dB": "分贝", "h": "小时", "min": "分钟", "ft": "英尺", "lb": "磅", "lbs": "磅", "oz": "盎司", "mph": "英里每小时",
    "mi": "英里", "rpm": "转每分钟", "fps": "帧每秒", "bpm": "次每分钟", "ha": "公顷", "t": "吨", "bp": "个基点",
    "bps": "个基点", "KM": "千米", "KG": "千克",
    "Kg": "千克", "Km": "千米", "CM": "厘米", "MM": "毫米", "mmHg": "毫米汞柱",
    "kmh": "千米每小时",
    "km/h": "千米每小时", "°C": "摄氏度", "°F": "华氏度", "℉": "华氏度", "px": "像素",
}  # fmt: skip
UNIT: Final = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
POWER: Final = r"(?:[²³]|\^[23])?"
# A lone capital is a unit of electricity, or the grade of a hotel, a share, a seat.
_NO_AMPERES: Final = r"(?!A[级级景股座栋区照类类组班]|W[人粉次播])"
HAN_UNIT: Final = r"(?:元|次|天|月|年|人|米|千克|公斤|克|升|小时|分钟|秒|平方米)"
_TOKEN: Final = re.compile(rf"(/?)[ ]?({UNIT}|{HAN_UNIT})([²³]|\^[23])?(?![A-Za-z])")
# Behind these the front end reads any number as an amount.
_READ_WITH_NUMBERS: Final = frozenset(
    [
        "千米",
        "米",
        "厘米",
        "毫米",
        "千克",
        "升",
        "毫升",
        "毫克",
        "元",
        "小时",
        "分钟",
        "秒",
        "摄氏度",
        "平方米",
        "吨",
        "千瓦",
        "伏",
    ]
)


def unit_name(sign: str) -> str:
    """The words for a unit, powers and fractions included: "km/h" is "千米每小时"."""
    words = ""
    for slash, unit, power in _TOKEN.findall(sign):
        name = UNITS.get(unit, unit)
        if power:
            name = (
                ("平方" if power in "²^2" else "立方") + name
                if unit.endswith("m")
                else name + ("平方" if power in "²^2" else "立方")
            )
        words += ("每" if slash else "") + name
    return words


def _unit(found: re.Match[str]) -> str:
    name = unit_name(found["unit"])
    return (found[1] if name in _READ_WITH_NUMBERS else spoken_number(found[1])) + (found["many"] or "") + name


SMALL_PARTS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\d.,%])({NUMBER})[ ]?[-–~～到][ ]?({NUMBER})[%％]", r"百分之\1到\2"),
    rule(rf"({NUMBER})[ ]?(?:ppm|PPM)(?![A-Za-z])", r"百万分之\1"),
    rule(rf"({NUMBER})[ ]?‰", r"千分之\1"),
)  # fmt: skip

MEASURES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=[每几半数公多])(kg|km|cm|mm|mL|ml|kWh)(?![A-Za-z])", lambda m: UNITS[m[1]]),
    rule(rf"(?<![A-Za-z\d.])({NUMBER})(?P<many>[万亿千百]{{0,2}})[ ]?{_NO_AMPERES}"
         rf"(?P<unit>(?:{UNIT}){POWER}(?:/(?:{UNIT}|{HAN_UNIT}){POWER})?)(?![A-Za-z/²³^])", _unit),
    rule(rf"(?<=[\u4e00-\u9fff])/(?P<unit>(?:{UNIT}){POWER})(?![A-Za-z/])", lambda m: f"每{unit_name(m['unit'])}"),
    rule(r"(?<=[元次块币个件份条人页])/(?=[天周月年日时分秒人次个斤件份晚])", "每"),
    rule(r"(?<![\d/])(\d{2,3})/(\d{2,3})(?=毫米汞柱)", lambda m: f"{spoken_number(m[1])}比{spoken_number(m[2])}"),
    rule(r"(?<=血压)(\d{2,3})/(\d{2,3})(?!\d)", lambda m: f"{spoken_number(m[1])}比{spoken_number(m[2])}"),
)  # fmt: skip
