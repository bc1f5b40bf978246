"""Money, percentages, degrees, units, fractions, ranges, counted things and bare numbers."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.rule import Rule, closes_quotation, rule
from vivavoce.text.factorials import FACTORIAL, is_factorial
from vivavoce.text.korean.numerals import NUMBER, english_digits, native, number, times_power, whole

_CURRENCIES: Final = {"$": "달러", "€": "유로", "£": "파운드", "¥": "엔", "₩": "원", "元": "위안", "円": "엔",
                      "₹": "루피", "₽": "루블", "₿": "비트코인",
                      "฿": "바트", "₫": "동", "₱": "페소", "₺": "리라"}  # fmt: skip
_COUNTRIES: Final = {"US": "미국 ", "HK": "홍콩", "A": "호주 ", "AU": "호주 ", "C": "캐나다 ", "CA": "캐나다 ",
                     "NT": "대만 ", "NZ": "뉴질랜드 ", "S": "싱가포르 "}  # fmt: skip
_CODES: Final = {"USD": "달러", "EUR": "유로", "GBP": "파운드", "JPY": "엔", "KRW": "원", "CNY": "위안", "RMB": "위안",
                 "HKD": "홍콩달러", "CAD": "캐나다 달러", "AUD": "호주 달러"}  # fmt: skip
_POWERS: Final = {"k": 3, "m": 6, "b": 9, "t": 12}
_MYRIAD: Final = r"[십백천만억조]{1,3}"
_SIGNS: Final = "[" + "".join(sign for sign in _CURRENCIES if sign not in "元円") + "]"

_UNITS: Final = {
    "km": "킬로미터", "m": "미터", "cm": "센티미터", "mm": "밀리미터", "μm": "마이크로미터", "nm": "나노미터",
    "kg": "킬로그램", "g": "그램", "mg": "밀리그램", "μg": "마이크로그램", "mmHg": "밀리미터 수은주",
    "t": "톤", "L": "리터", "l": "리터", "ℓ": "리터", "mL": "밀리리터",
    "ml": "밀리리터", "dl": "데시리터", "cc": "시시", "ha": "헥타르", "ft": "피트", "lb": "파운드", "oz": "온스",
    "kcal": "킬로칼로리", "cal": "칼로리", "kJ": "킬로줄", "W": "와트", "kW": "킬로와트", "MW": "메가와트",
    "kWh": "킬로와트시", "V": "볼트", "mA": "밀리암페어", "mAh": "밀리암페어시", "Ω": "옴", "Hz": "헤르츠",
    "kHz": "킬로헤르츠", "MHz": "메가헤르츠", "GHz": "기가헤르츠", "KB": "킬로바이트", "kB": "킬로바이트",
    "MB": "메가바이트", "GB": "기가바이트", "TB": "테라바이트", "Kbps": "킬로비피에스", "kbps": "킬로비피에스",
    "Mbps": "메가비피에스", "Gbps": "기가비피에스", "dB": "데시벨", "hPa": "헥토파스칼", "Pa": "파스칼", "px": "픽셀",
    "fps": "프레임", "rpm": "알피엠", "ppm": "피피엠", "ms": "밀리초", "sec": "초", "min": "분",
}  # fmt: skip
_SPEEDS: Final = {"km/h": ("시속 ", "킬로미터"), "㎞/h": ("시속 ", "킬로미터"), "m/s": ("초속 ", "미터"),
                  "km/s": ("초속 ", "킬로미터")}  # fmt: skip
_UNIT: Final = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_POWER_WORDS: Final = {"²": "제곱", "2": "제곱", "^2": "제곱", "³": "세제곱", "3": "세제곱", "^3": "세제곱"}
_VULGAR: Final = {"½": "이분의 일", "⅓": "삼분의 일", "⅔": "삼분의 이", "¼": "사분의 일", "¾": "사분의 삼"}

# What is counted in native numbers: those of the voices' own front end, and the other common ones.
_COUNTERS: Final = (
    "가지|가구|갑|개(?![월국년소점])|걸음|곳|군데|권(?!위)|그루|그릇|까치|꼬집|끼|닢|다발|달(?!러)|"
    "대(?![ ](?:기업|국가|요소|도시|원칙|과제|강국|명산|종교))|덩이|두름|마디|마리|명|모금|바구니|바퀴|발짝|방울|번째|"
    "번(?![지호]|[ ]?(?:출구|버스|문제|창구|국도|선수|타자|홀|게이트|좌석|교향곡|채널))|벌|병(?!원)|보루|봉지|사람|살|"
    "상자|송이|스푼|시간|쌍|알|움큼|자루|잔|장(?![관애])|접시|조각|줄|줌|짝|채|척|첩|컵|켤레|쾌|토막|톨|통(?![계화신])|"
    "판(?!매)|편|포기|해째|홉"
)
_NOT_INSIDE: Final = r"(?<![\d.,])"


def _money(found: re.Match[str]) -> str:
    country = _COUNTRIES.get(found["country"] or "", "")
    name = (" " if country.endswith(" ") else "") + country + _CURRENCIES[found["sign"]]
    minus = "마이너스 " if found["minus"] else ""
    amount, power = found["amount"], (found["power"] or "").lower()
    if power:
        return f"{minus}{times_power(amount, _POWERS[power])}{name}"
    notes, point, coins = amount.partition(".")
    if point and len(coins) == 2 and found["sign"] == "$" and not found["myriad"]:
        cents = f" {whole(str(int(coins)))}센트" if int(coins) else ""
        return f"{minus}{number(notes)}{name}{cents}"
    return f"{minus}{number(amount)}{(found['myriad'] or '').strip()}{name}"


def _counted(found: re.Match[str]) -> str:
    figures, counter = found["amount"], found["counter"]
    if counter == "대" and re.fullmatch(r"[1-9]0", figures):  # people in their twenties
        return whole(figures) + counter
    if counter == "번째" and figures == "1":
        return "첫번째"
    first = f"{native(found['first'])}{counter}에서 " if found["first"] else ""
    return f"{first}{native(figures)}{found['gap']}{counter}"


def _unit(found: re.Match[str]) -> str:
    first = f"{number(found['first'])}에서 " if found["first"] else ""
    power = _POWER_WORDS[found["power"]] if found["power"] else ""
    return f"{first}{number(found['amount'])}{power}{_UNITS[found['unit']]}"


def _speed(found: re.Match[str]) -> str:
    before, after = _SPEEDS[found[2]]
    return f"{before}{number(found[1])}{after}"


def _degrees(found: re.Match[str]) -> str:
    scale = {"C": "섭씨 ", "F": "화씨 "}.get(found["scale"] or found["sign"], "")
    first = f"{number(found['first'])}에서 " if found["first"] else ""
    below = "영하 " if found["minus"] and scale != "화씨 " else "마이너스 " if found["minus"] else ""
    return f"{'' if below == '영하 ' else scale}{below}{first}{number(found['amount'])}도"


def _percent(found: re.Match[str]) -> str:
    sign = {"-": "마이너스 ", "−": "마이너스 ", "+": "플러스 "}.get(found["sign"] or "", "")
    return f"{sign}{number(found['amount'])}퍼센트{'포인트' if found['point'] else ''}"


def _small(found: re.Match[str]) -> str:
    """1천 is 천 and 1만 is 만."""
    return "" if found[1] == "1" and found[2] in "십백천만" else number(found[1])


MONEY: Final[tuple[Rule, ...]] = (
    rule(rf"(?P<minus>(?<![\w)])-)?(?:(?<![A-Za-z])(?P<country>US|HK|AU|CA|NT|NZ|[ACS])(?=\$))?(?P<sign>{_SIGNS})[ ]?"
         rf"(?P<amount>{NUMBER})(?:(?P<power>[kKMBT])(?![A-Za-z])|(?P<myriad>[ ]?{_MYRIAD}))?", _money),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?({_MYRIAD})?[ ]?([$€£¥₩元円])",
         lambda m: f"{number(m[1])}{m[2] or ''}{_CURRENCIES[m[3]]}"),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?({_MYRIAD})?[ ]?({'|'.join(_CODES)})(?![A-Za-z])",
         lambda m: f"{number(m[1])}{m[2] or ''}{_CODES[m[3]]}"),
    rule(rf"(?<![A-Za-z])({'|'.join(_CODES)})[ ]?({NUMBER})", lambda m: f"{number(m[2])}{_CODES[m[1]]}"),
)  # fmt: skip

MEASURES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d.A-Za-z])(\d)'[ ]?(\d{1,2})(?:\"|'')", lambda m: f"{number(m[1])}피트 {number(m[2])}인치"),
    rule(r"(?<![\d.A-Za-z\"])(\d{1,3}(?:\.\d)?)\"(?=[ ]?[가-힣])",
         lambda m: None if closes_quotation(m) else f"{number(m[1])}인치"),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?%?[ ]?[~–-][ ]?({NUMBER})[ ]?%(p(?!\w))?",
         lambda m: f"{number(m[1])}에서 {number(m[2])}퍼센트{'포인트' if m[3] else ''}"),
    rule(rf"(?P<sign>(?<![\w)])[-−+])?{_NOT_INSIDE}(?P<amount>{NUMBER})[ ]?%(?P<point>p(?![A-Za-z]))?", _percent),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?‰", lambda m: f"{number(m[1])}퍼밀"),
    rule(rf"(?P<minus>(?<![\w)])[-−])?{_NOT_INSIDE}(?:(?P<first>{NUMBER})[ ]?[~–][ ]?)?(?P<amount>{NUMBER})[ ]?"
         rf"(?P<sign>°)[ ]?(?P<scale>[CF](?![A-Za-z]))?", _degrees),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?({'|'.join(map(re.escape, _SPEEDS))})(?![A-Za-z])", _speed),
    rule(rf"{_NOT_INSIDE}(?:(?P<first>{NUMBER})[ ]?[~–-][ ]?)?(?P<amount>{NUMBER})[ ]?(?P<unit>{_UNIT})"
         rf"(?P<power>[²³]|\^[23]|(?<=m)[23])?(?![A-Za-z0-9²³/])", _unit),
    rule(r"(?<![\d./])(?P<above>\d{1,3})/(?P<below>\d{1,3})(?![\d./])",
         lambda m: f"{whole(m['below'])}분의 {whole(m['above'])}"),
    rule(f"[{''.join(_VULGAR)}]", lambda m: f" {_VULGAR[m[0]]}"),
)  # fmt: skip

_COMPARED: Final = {"≤": "이하", "<=": "이하", "≥": "이상", ">=": "이상", "<": "미만", ">": "초과"}

RANGES: Final[tuple[Rule, ...]] = (
    rule(FACTORIAL, lambda m: f"{m[1]} 팩토리얼은 {m[2]}" if is_factorial(m) else None),
    rule(r"(?<=\d)T(?=\d\d:\d\d)", " "),
    rule(r"(?<=:\d\d)Z(?![A-Za-z])", ""),
    rule(
        r"(?<![\d:])(\d{1,2}:[0-5]\d)[ ]?([AaPp])\.?[Mm]\.?(?![A-Za-z])",
        lambda m: f"{'오전' if m[2] in 'Aa' else '오후'} {m[1]}",
    ),
    rule(r"(?<=\d)[ ]?[×xX*][ ]?(?=\d)", " 곱하기 "),
    rule(
        rf"{_NOT_INSIDE}(\d{{2,3}})/(\d{{2,3}})[ ]?mmHg", lambda m: f"{number(m[1])}에 {number(m[2])} 밀리미터 수은주"
    ),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?μg/m[³3]", lambda m: f"세제곱미터당 {number(m[1])}마이크로그램"),
    rule(rf"{_NOT_INSIDE}({NUMBER})[ ]?m/s[²2]", lambda m: f"{number(m[1])}미터 매 초 제곱"),
    rule(
        rf"{_NOT_INSIDE}({NUMBER})([KMB])(?=[ ]?(?:명|회|원|개|건|뷰|조회|다운|구독|팔로|달러))",
        lambda m: times_power(m[1], {"K": 3, "M": 6, "B": 9}[m[2]]),
    ),
    rule(
        r"(?<![\d-])(\d{1,4})[ ]?-[ ]?(?=\d{1,4}(?:세|분|시간|일|주|년|월|도|페이지|쪽|점|위|층|kg|cm|km|m|"
        r"g))",
        r"\1에서 ",
    ),
    rule(
        r"(?<![\d-])(\d{1,3})-(\d{1,3})(?=(?:으로|로)[ ]?(?:승|패|이기|졌|비[겼기]|앞[서섰])|[ ]?(?:승리|패배|"
        r"무승부))",
        lambda m: f"{whole(m[1])} 대 {whole(m[2])}",
    ),
    rule(
        r"(?<![A-Za-z])(HP|MP|SP|"
        r"EXP)[:]?[ ]?(\d{1,6})/(\d{1,6})(?!\d)",
        lambda m: f"{m[1]} {whole(m[3])} 중 {whole(m[2])}",
    ),
    rule(r"(?<![A-Za-z])Lv\.?[ ]?(?=\d)", "레벨 "),
    rule(r"(?<![A-Za-z])[Nn]o\.[ ]?(?=\d)", "넘버 "),
    rule(r"(?<=\d)원/(개|명|인|월|일|년|시간|kg|병|잔|장)", r"원 \1당"),
    rule(r"(?<=°)[ ]?(\d{1,2})['′]", lambda m: f" {whole(m[1])}분"),
    rule(r"(?<![\d.A-Za-z])(\d{1,2})[hH](\d{1,2})(?:min|m)?(?![A-Za-z\d])", r"\1시간 \2분"),
    rule(r"(?:(?<=[²³)])|(?<=\b[a-z]))[ ]?[-−–][ ]?(?=\d{0,3}[a-z](?![A-Za-z]))", " 빼기 "),
    rule(r"(?<=[\w)])[ ]?≈[ ]?(?=\d)", "는 약 "),
    rule(r"(?<=[A-Za-z])[ ]?≥[ ]?(?=[A-Za-z])", " 크거나 같다 "),
    rule(r"(?<=[A-Za-z])[ ]?≤[ ]?(?=[A-Za-z])", " 작거나 같다 "),
    rule(r"(?<=\d)\^(-?)(\d{1,4})(?!\d)", lambda m: f"의 {'마이너스 ' if m[1] else ''}{whole(m[2])}승"),
    rule(r"(?<![\w)])\+(?=\d)(?!\d{1,3}[ -]\d)", "플러스 "),
    rule(
        rf"[ ]?(?<![<>=-])(≤|<=|≥|>=|<|>)[ ]?(-?(?:{NUMBER})(?:[%℃]|[가-힣]{{1,2}}(?![가-힣]))?)",
        lambda m: f" {m[2]} {_COMPARED[m[1]]}",
    ),
    rule(
        rf"{_NOT_INSIDE}({NUMBER})[eE](-?)\+?(\d{{1,3}})(?![\d.]|[a-ln-z])",
        lambda m: f"{number(m[1])} 곱하기 십의 {'마이너스 ' if m[2] else ''}{number(m[3])}승",
    ),
    rule(r"(?<=\d[만억천백원시분일월년개명층세살장%℃°])[ ]?-[ ]?(?=\d)", "에서 "),
    rule(r"(?<=[월화수목금토일])[ ]?[~–-][ ]?(?=[월화수목금토일](?![가-힣]))", "에서 "),
    rule(r"(?<=\d[가-힣%℃°])[ ]?[~–][ ]?(?=\d)", "에서 "),  # 9시~18시; of bare numbers see to the end
    rule(r"(?<=:\d\d)[ ]?[~–][ ]?(?=\d)", "에서 "),
    rule(r"(?<=[시분일월년])[ ]?[~–][ ]?(?=오전|오후|새벽|아침|낮|저녁|밤|다음|내일|익일)", "에서 "),
    rule(r"(?<=[\d%℃])[ ]?→[ ]?(?=\d)", "에서 "),
    rule(r"(?<=\d[A-Za-z])[ ]?~[ ]?(?=\d)|(?<=\d[A-Za-z]{2})[ ]?~[ ]?(?=\d)", "에서 "),
)

COUNTED: Final[tuple[Rule, ...]] = (
    rule(rf"(?<!제)(?<!제 ){_NOT_INSIDE}(?:(?P<first>\d{{1,3}})[ ]?[~–-][ ]?)?(?<!\d)"
         rf"(?P<amount>\d{{1,3}}(?:,\d{{3}})*+|\d++)(?P<gap>[ ]?)(?P<counter>{_COUNTERS})", _counted),
)  # fmt: skip

NUMBERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d)[ ]?[×xX*][ ]?(?=\d)", " 곱하기 "),
    rule(r"(?<=[A-Za-z])(-?)([0-9])(?![0-9]|[.,][0-9])", lambda m: m[1] + english_digits(m[2])),  # B2B, mp3, GPT-4o
    rule(r"(?<![0-9.,])([0-9])(?=[A-Z]{1,2}(?![A-Za-z]))", lambda m: english_digits(m[1])),  # 5G, 3D, 4K
    rule(r"(?<![\d.])\d++(?:\.\d++){2,}+(?!\d)", lambda m: " 점 ".join(map(whole, m[0].split(".")))),  # versions
    rule(rf"{_NOT_INSIDE}({NUMBER})(?=({_MYRIAD}))", _small),
    rule(r"(?<=\d)[ ]?~[ ]?(?=\d)", "에서 "),
    rule(r"(?<![\w)])[-−–](?=\d)", "마이너스 "),
    rule(r"±[ ]?(?=\d)", "플러스 마이너스 "),
    rule(r"√[ ]?(?=[\dA-Za-z(])", "루트 "),
    rule(r"(?<=\d)[ ]?-[ ]?(?=\d{1,9}[ ]?=)", " 빼기 "),
    rule(r"(?<=[A-Za-z\d])²", " 제곱"),
    rule(r"(?<=[A-Za-z\d])³", " 세제곱"),
    rule(r"(?<=\d)[ ]?:[ ]?(?=\d)", " 대 "),
    rule(r"(?<=\d)[ ]?\+[ ]?(?=\d)", " 더하기 "),
    rule(r"(?<=\d)[ ]?÷[ ]?(?=\d)", " 나누기 "),
    rule(r"#[ ]?(?=\d)(\d{1,4})(?!\d)", lambda m: f"{whole(m[1])}번"),
    rule(rf"{NUMBER}", lambda m: number(m[0])),
)  # fmt: skip
