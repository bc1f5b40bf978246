"""What Chinese text has that its front end misreads, written so that it is read right.

Figures stay where the front end reads them well (years, prices, fractions, plain measures). Units, telephone numbers,
ratios, powers, signs of two marks and a minus by any dash become Chinese words. Called by `normalize`.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.fractions import VULGAR
from vivavoce.text.english.numerals import roman
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.mapped import MappedText

_DIGITS: Final = "零一二三四五六七八九"
_CURRENCIES: Final = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元", "₩": "韩元", "HK$": "港元",
                      "NT$": "新台币", "A$": "澳元", "C$": "加元", "S$": "新加坡元", "R$": "雷亚尔", "₹": "卢比",
                      "₽": "卢布", "₺": "里拉", "₫": "越南盾", "₱": "比索", "฿": "泰铢", "₦": "奈拉", "₪": "谢克尔",
                      "₴": "格里夫纳", "₿": "比特币", "₸": "坚戈", "₵": "塞地", "₡": "科朗",
                      "₮": "图格里克"}  # fmt: skip
_MANY: Final = {"k": "千", "K": "千", "M": "百万", "m": "百万", "B": "十亿", "bn": "十亿", "": ""}
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
_UNITS: Final[dict[str, str]] = {
    **{prefix + sign: _PREFIXES[prefix] + name
       for sign, (name, prefixes) in _BASES.items()
       for prefix in ("", *prefixes.split()) if prefix != "-" and (prefix or "-" not in prefixes)},
    "dB": "分贝", "h": "小时", "min": "分钟", "ft": "英尺", "lb": "磅", "lbs": "磅", "oz": "盎司", "mph": "英里每小时",
    "mi": "英里", "rpm": "转每分钟", "fps": "帧每秒", "bpm": "次每分钟", "ha": "公顷", "t": "吨", "KM": "千米",
    "KG": "千克",
    "Kg": "千克", "Km": "千米", "CM": "厘米", "MM": "毫米", "mmHg": "毫米汞柱", "ppm": "百万分之一",
    "kmh": "千米每小时",
    "km/h": "千米每小时", "°C": "摄氏度", "°F": "华氏度", "px": "像素",
}  # fmt: skip
_UNIT: Final = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_POWER: Final = r"(?:[²³]|\^[23])?"
_HAN_UNIT: Final = r"(?:元|次|天|月|年|人|米|千克|公斤|克|升|小时|分钟|秒|平方米)"
_TOKEN: Final = re.compile(rf"(/?)[ ]?({_UNIT}|{_HAN_UNIT})([²³]|\^[23])?(?![A-Za-z])")
_NUMBER: Final = r"\d{1,15}(?:\.\d{1,9})?"
_RATIO_BEFORE: Final = re.compile(r"(?:比例?|比分|比率|赔率|配比|按|以|概率|兑|份|稀释|混合)[是为约：:了]?[ ]?\Z")
_TIME_BEFORE: Final = re.compile(
    r"(?:早上?|上午|下午|晚上?|凌晨|中午|傍晚|时间|点|在|于|日|号|周.|星期.|到|至|从|[-–~～])[是为：:]?[ ]?\Z"
)
_DASH: Final = "[-–−‒－]"


def read_chinese(text: MappedText) -> MappedText:
    """Rewrite what the front end would misread."""
    for one in RULES:
        text = text.sub(one.pattern, one.spoken)
    return text


def cardinal(number: int) -> str:
    """ "一千二百三十四", "十万零五"."""
    if number == 0:
        return "零"
    words, groups, rank = "", ("", "万", "亿", "万亿"), 0
    rest = number
    while rest:
        rest, group = divmod(rest, 10_000)
        if group:
            gap = "零" if rest and group < 1000 else ""
            words = gap + _below_ten_thousand(group) + groups[rank] + words
        elif words and not words.startswith("零"):
            words = "零" + words
        rank += 1
    words = words.lstrip("零")
    return words.removeprefix("一") if words.startswith("一十") else words


def _below_ten_thousand(number: int) -> str:
    words, pending = "", False
    for value, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, value)
        if digit:
            words += ("零" if pending and words else "") + _DIGITS[digit] + name
            pending = False
        else:
            pending = True
    return words


def _digits(written: str) -> str:
    return "".join("幺" if char == "1" else _DIGITS[int(char)] for char in written if char.isdecimal())


def _phone(found: re.Match[str]) -> str | None:
    groups = re.findall(r"\d+", found[0])
    if not 7 <= sum(map(len, groups)) <= 15:
        return None
    return ("加" if found[0][0] == "+" else "") + "，".join(map(_digits, groups))


def _unit_name(sign: str) -> str:
    words = ""
    for slash, unit, power in _TOKEN.findall(sign):
        name = _UNITS.get(unit, unit)
        if power:
            name = (
                ("平方" if power in "²^2" else "立方") + name
                if unit.endswith("m")
                else name + ("平方" if power in "²^2" else "立方")
            )
        words += ("每" if slash else "") + name
    return words


def _unit(found: re.Match[str]) -> str:
    return found[1] + _unit_name(found["unit"])


def _ratio(found: re.Match[str]) -> str | None:
    front = found.string[max(0, found.start() - 6) : found.start()]
    is_time = len(found[2]) == 2 and int(found[2]) < 60 and int(found[1]) <= 24
    if is_time and (_RATIO_BEFORE.search(front) is None or _TIME_BEFORE.search(front)):
        return None
    return f"{found[1]}比{found[2]}"


def _minus(found: re.Match[str]) -> str:
    degrees = re.match(rf"{_NUMBER}[ ]?(?:度|°|℃|摄氏)", found.string[found.end() : found.end() + 28])
    return "零下" if degrees else "负"


def _power(found: re.Match[str]) -> str:
    written = found[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+"))
    if written in ("2", "3"):
        return "的平方" if written == "2" else "的立方"
    sign = "负" if written[0] == "-" else ""
    return f"的{sign}{cardinal(int(written.lstrip('+-')))}次方" if written.lstrip("+-") else ""


def _scientific(found: re.Match[str]) -> str:
    power = int(found[2])
    return f"{found[1]}乘以十的{'负' if power < 0 else ''}{cardinal(abs(power))}次方"


def _money(found: re.Match[str]) -> str:
    last = f"到{found['last']}" if found["last"] else ""
    minus = "负" if found["minus"] else ""
    amount, many = found["amount"], _MANY[found["many"] or ""]
    if many == "百万" and not last:
        amount, many = f"{float(amount) * 100:.12g}", "万"
    return minus + amount + last + many + (found["han"] or "") + _CURRENCIES[found["sign"]]


def _grouped(found: re.Match[str]) -> str:
    whole, point, part = found[0].replace(",", "").partition(".")
    return (cardinal(int(whole)) if len(whole) > 4 and not point else whole + point + part) or "零"


def _iso(found: re.Match[str]) -> str | None:
    month, day = int(found["month"]), int(found["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{found['year']}年{month}月" + (f"{day}日" if found["day"] else "")


def _roman(found: re.Match[str]) -> str:
    letters = "".join(
        ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "L", "C", "D", "M"][
            (ord(char) - 0x2160) % 16
        ]
        for char in found[0]
    )
    value = roman(letters)
    return cardinal(value) if value else letters


_SIGN: Final = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
_PAIRS: Final = {"<=": "小于等于", ">=": "大于等于", "≤": "小于等于", "≥": "大于等于", "!=": "不等于", "≠": "不等于",
"==": "等于",
                 "->": "到", "=>": "推出", "±": "正负", "≈": "约等于", "→": "到"}  # fmt: skip
_PAIR: Final = "|".join(re.escape(pair) for pair in sorted(_PAIRS, key=len, reverse=True))

RULES: Final[tuple[Rule, ...]] = (
    rule(r"[Ⅰ-ⅿ]+", _roman),
    rule(r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?:\.\d{1,9})?(?!\d)", _grouped),
    rule(rf"(?P<minus>(?<![\d\w]){_DASH})?(?:US(?=\$))?(?P<sign>{_SIGN})[ ]?(?P<inner>{_DASH}?)(?P<amount>{_NUMBER})"
         rf"(?:[ ]?[-–~～][ ]?(?:{_SIGN})?(?P<last>{_NUMBER}))?(?P<many>(?:k|K|M|m|B|bn)(?![A-Za-z]))?[ ]?"
         r"(?P<han>[万亿千百]{0,2})", _money),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>[0-3]?\d)(?![\d/-])", _iso),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)-(?P<month>0[1-9]|1[0-2])(?P<day>)(?![\d/-])", _iso),
    rule(r"(?<![\d.,-])(?:\+?86[ -]?)?1[3-9]\d[ -]\d{4}[ -]\d{4}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])\+?\d{3,4}-\d{3,4}-\d{3,4}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])0\d{2,3}-\d{7,8}(?![\d-])", _phone),
    rule(r"(?<=[话打机线])([：:是为]?[ ]?)\d{3,4}-\d{4}(?![\d-])", lambda m: m[1] + "，".join(map(_digits,
    m[0][len(m[1]):].split("-")))),
    rule(rf"(?<![\d.A-Za-z])({_NUMBER})[eE]([+-]?\d{{1,3}})(?![\w.])", _scientific),
    rule(rf"(?<![\d\w%％)）°]){_DASH}(?=[.]?\d)|(?<=[\u4e00-\u9fff]){_DASH}(?=\d)(?!\d{{1,4}}[-–~～至到])", _minus),
    rule(r"(?<=\d)[ ]?[xX×][ ]?(?=\d)", "乘"),
    rule(rf"(?<![A-Za-z\d.])({_NUMBER})[ ]?(?P<unit>(?:{_UNIT}){_POWER}(?:/(?:{_UNIT}|"
    rf"{_HAN_UNIT}){_POWER})?)(?![A-Za-z/²³^])", _unit),
    rule(rf"(?<=[\u4e00-\u9fff])/(?P<unit>(?:{_UNIT}){_POWER})(?![A-Za-z/])", lambda m: f"每{_unit_name(m['unit'])}"),
    rule(r"(?<=\d[元次块])/(?=[天月年人次])", "每"),
    rule(r"(?<![\d:：])(\d{1,5})[ ]?[:：][ ]?(\d{1,5})(?![\d:：])", _ratio),
    rule(rf"({_NUMBER})[%％]{_DASH}(?={_NUMBER}[%％])", lambda m: f"{m[1]}%到"),
    rule(r"(?<=[\w)）])(?:\^(?=-?\d)|(?=[⁰¹²³⁴-⁹⁻]))([⁺⁻]?[⁰¹²³⁴-⁹]+|-?\d{1,3})", _power),
    rule(rf"(?<=[\w)）])[ ]?(?:{_PAIR})[ ]?(?=[\w(（-])", lambda m: _PAIRS[m[0].strip()]),
    rule(r"(?<=\w)[ ]?<[ ]?(?=[\w.-])", "小于"),
    rule(r"(?<=\w)[ ]?>[ ]?(?=[\w.-])", "大于"),
    rule(r"(\d{0,4})([" + "".join(VULGAR) + "])", lambda m: (f"{m[1]}又" if m[1] else "")
         + f"{cardinal(VULGAR[m[2]][1])}分之{cardinal(VULGAR[m[2]][0])}"),
)  # fmt: skip
