"""What Japanese text has that its front end loses or misreads, written so that it is read right.

Whole numbers, decimals, percent and plain units stay: OpenJTalk reads them, counters included. Dates with hyphens,
times with colons, ranges, telephones, degrees, rates, fractions, powers, prices and the signs of mathematics have no
sound there and become words. Called by `normalize`.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.fractions import VULGAR
from vivavoce.text.english.numerals import roman
from vivavoce.text.english.rule import Rule, rule, unless_quoted
from vivavoce.text.factorials import FACTORIAL, is_factorial
from vivavoce.text.mapped import MappedText

_DIGITS: Final = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_CURRENCIES: Final = {"$": "ドル", "€": "ユーロ", "£": "ポンド", "¥": "円", "￥": "円", "₩": "ウォン",
                      "HK$": "香港ドル", "A$": "豪ドル", "C$": "カナダドル", "NT$": "台湾ドル", "₹": "ルピー",
                      "₽": "ルーブル", "฿": "バーツ", "₫": "ドン", "₱": "ペソ",
                      "₺": "リラ", "₿": "ビットコイン", "₦": "ナイラ"}  # fmt: skip
_CODES: Final = {"USD": "ドル", "EUR": "ユーロ", "GBP": "ポンド", "JPY": "円", "KRW": "ウォン", "CNY": "元",
                 "RMB": "元",
                 "HKD": "香港ドル", "AUD": "豪ドル", "CAD": "カナダドル", "CHF": "スイスフラン"}  # fmt: skip
_UNITS: Final = {"GB": "ギガバイト", "MB": "メガバイト", "TB": "テラバイト", "KB": "キロバイト", "kB": "キロバイト",
                 "GHz": "ギガヘルツ", "MHz": "メガヘルツ", "kHz": "キロヘルツ", "Hz": "ヘルツ", "kWh": "キロワット時",
                 "kW": "キロワット", "mAh": "ミリアンペアアワー", "dB": "デシベル", "hPa": "ヘクトパスカル",
                 "Mbps": "メガビーピーエス", "Gbps": "ギガビーピーエス", "mL": "ミリリットル", "dL": "デシリットル",
                 "μm": "マイクロメートル", "μg": "マイクログラム", "km": "キロメートル", "cm": "センチメートル",
                 "mm": "ミリメートル", "m": "メートル", "kg": "キログラム", "mg": "ミリグラム", "g": "グラム",
                 "L": "リットル", "ppm": "ピーピーエム", "ms": "ミリ秒", "μs": "マイクロ秒",
                 "mol": "モル", "mmHg": "ミリメートル水銀柱"}  # fmt: skip
_UNIT: Final = "|".join(sorted(_UNITS, key=len, reverse=True))
_SPEEDS: Final = {"km/h": ("時速", "キロメートル"), "kmh": ("時速", "キロメートル"),
                  "m/s": ("秒速", "メートル"), "km/s": ("秒速", "キロメートル"),
                  "m/min": ("分速", "メートル")}  # fmt: skip
_SIGNS: Final = {"<=": "小なりイコール", ">=": "大なりイコール", "≤": "小なりイコール", "≥": "大なりイコール",
                 "≦": "小なりイコール", "≧": "大なりイコール", "!=": "ノットイコール", "≠": "ノットイコール",
                 "==": "イコール", "=": "イコール", "<": "小なり", ">": "大なり", "+": "プラス", "±": "プラスマイナス",
                 "×": "かける", "÷": "わる", "≈": "約", "≒": "約", "√": "ルート", "→": "から", "‰": "パーミル",
                 "№": "ナンバー", "§": "セクション", "&": "アンド"}  # fmt: skip
_SIGN: Final = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_GREEK: Final = {"α": "アルファ", "β": "ベータ", "γ": "ガンマ", "δ": "デルタ", "ε": "イプシロン", "ζ": "ゼータ",
                 "η": "イータ", "θ": "シータ", "ι": "イオタ", "κ": "カッパ", "λ": "ラムダ", "μ": "ミュー",
                 "ν": "ニュー", "ξ": "クサイ", "ο": "オミクロン", "π": "パイ", "ρ": "ロー", "σ": "シグマ",
                 "ς": "シグマ", "τ": "タウ", "υ": "ウプシロン", "φ": "ファイ", "χ": "カイ", "ψ": "プサイ",
                 "ω": "オメガ"}  # fmt: skip
_MARKS: Final = {".": "ドット", "/": "スラッシュ", ":": "コロン", "@": "アットマーク", "-": "ハイフン",
                 "_": "アンダースコア"}  # fmt: skip
_NUMBER: Final = r"\d{1,15}(?:\.\d{1,9})?"
_TO: Final = "[ ]?[-–—~～〜]{1,2}[ ]?"
_COUNTER: Final = "[日人個代時分秒円年月歳回階本枚台件週度℃%％ヶか万億千百章頁]|km|kg|cm|mm|ページ|パーセント"
_FOLDED: Final = {chr(code): chr(code - 0xFEE0)
                  for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B),
                               *map(ord, "％＋＝＜＞＆／：＠－"))} | {"℃": "°C", "℉": "°F", "µ": "μ"}  # fmt: skip


def read_japanese(text: MappedText) -> MappedText:
    """Rewrite what the front end would lose."""
    text = text.map(lambda char: _FOLDED.get(char, char))
    for one in RULES:
        text = text.sub(one.pattern, one.spoken)
    return text


def _figures(written: str) -> str:
    return "".join(_DIGITS[int(char)] for char in written if char.isdecimal())


def _phone(found: re.Match[str]) -> str | None:
    groups = re.findall(r"\d+", found[0])
    if not 9 <= sum(map(len, groups)) <= 13:
        return None
    return ("プラス" if found[0][0] == "+" else "") + "、".join(map(_figures, groups))


def _date(found: re.Match[str]) -> str | None:
    month, day = int(found["month"]), int(found["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{found['year']}年{month}月" + (f"{day}日" if found["day"] else "")


def _date_range(found: re.Match[str]) -> str | None:
    """5/17〜5/20; two fractions of a cup are none."""
    first, last = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    if all(above < below <= 12 for above, below in (first, last)):
        return None
    return f"{first[0]}月{first[1]}日から{last[0]}月{last[1]}日"


_PART_BEFORE: Final = re.compile(r"(?:全体の|うちの?|約|およそ|割合は|[=＝×÷+(（])[ ]?\Z")
_PART_BEHIND: Final = re.compile(r"[ ]?(?:の(?:人|学生|割合|面積|時間|確率)|カップ|以上|以下|程度|[=＝×÷+)）])")


def _likely_date(found: re.Match[str]) -> str | None:
    """5/17 is a day, unless the words around it are of shares: seventeenths are rare."""
    front = found.string[max(0, found.start() - 8) : found.start()]
    if _PART_BEFORE.search(front) or _PART_BEHIND.match(found.string, found.end()):
        return None
    return f"{int(found[1])}月{int(found[2])}日"


def _clock(found: re.Match[str]) -> str:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    return f"{hour}時" + (f"{minute}分" if minute or second else "") + (f"{second}秒" if second else "")


def _price(found: re.Match[str]) -> str:
    last = f"から{found['last']}" if found["last"] else ""
    minus = "マイナス" if found["minus"] else ""
    return minus + found["amount"] + last + (found["many"] or "").strip() + _CURRENCIES[found["sign"]]


def _speed(found: re.Match[str]) -> str:
    before, after = _SPEEDS[found[2]]
    told = found.string[: found.start()].endswith(before)
    return f"{'' if told else before}{found[1]}{after}"


def _measure(found: re.Match[str]) -> str:
    unit, power, per = found["unit"], found["power"], found["per"]
    area = {"²": "平方", "³": "立方", "^2": "平方", "^3": "立方"}.get(power or "", "")
    below = f"パー{ {'²': '平方', '³': '立方'}.get(found['below'] or '', '') }{_UNITS[per]}" if per else ""
    return found["amount"] + area + _UNITS[unit] + below


def _thousands(found: re.Match[str]) -> str:
    """$1.5M, 100K人: counted by ten thousands, as the sign of the price stands behind."""
    value = round(float(found["amount"]) * {"K": 1000, "M": 1_000_000, "B": 1_000_000_000}[found["many"]])
    oku, rest = divmod(value, 100_000_000)
    man, rest = divmod(rest, 10_000)
    said = (f"{oku}億" if oku else "") + (f"{man}万" if man else "") + (str(rest) if rest else "")
    return ("マイナス" if found["minus"] else "") + said + _CURRENCIES.get(found["sign"] or "", "")


def _degrees(found: re.Match[str]) -> str:
    return f"{'華氏' if found[2] == 'F' else ''}{found[1]}度"


def _power(found: re.Match[str]) -> str:
    plain = found[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return f"の{'マイナス' if plain[0] == '-' else ''}{plain.lstrip('-')}乗"


def _roman(found: re.Match[str]) -> str:
    names = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "L", "C", "D", "M"]
    value = roman("".join(names[(ord(char) - 0x2160) % 16] for char in found[0]))
    return str(value) if value else found[0]


def _address(found: re.Match[str]) -> str:
    plain = re.sub(r"(?i)^https?://", "", found[0]).rstrip("/.")
    return re.sub(r"[^A-Za-z0-9]", lambda mark: _MARKS.get(mark[0], ""), plain)


_CLOCK: Final = r"(?P<hour>[01]?\d|2\d):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d{1,9})?)?"
_SHORT_DATE: Final = r"(1[0-2]|0?[1-9])/([12]\d|3[01]|0?[1-9])"
_CURRENCY: Final = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))

RULES: Final[tuple[Rule, ...]] = (
    rule(FACTORIAL, lambda m: f"{m[1]}の階乗イコール{m[2]}" if is_factorial(m) else None),
    rule(r"[₀-₉]+", lambda m: "".join(chr(ord(char) - 0x2080 + 48) for char in m[0])),
    rule(r"(?:(?<=コード)|(?<=番号)|(?<=内線)|(?<=パスワード)|(?<=PIN)|(?<=ID))"
         r"([はが：:]{0,2}[ ]?)(\d{4,12})(?![\d.-])",
         lambda m: m[1] + _figures(m[2])),
    rule(r"(?<![\d:])(\d{1,2}(?::[0-5]\d)?)[ ]?([AaPp])\.?[Mm]\.?(?![A-Za-z])",
         lambda m: f"{'午前' if m[2] in 'Aa' else '午後'}{m[1]}{'' if ':' in m[1] else '時'}"),
    rule(rf"(?P<minus>(?<![\d\w])[-−–])?(?P<sign>[$€£¥])?(?P<amount>{_NUMBER})(?P<many>[KMB])(?![A-Za-z])(?(sign)|(?=[人回件円]|"
         r"ダウンロード|ユーザー|フォロワー|再生|ドル))", _thousands),
    rule(r"(?<![\d/])(\d{2,3})/(\d{2,3})(?=[ ]?mmHg)", r"\1の\2"),
    rule(r"(?<![\d/])(\d{1,4})/(\d{1,4})点", r"\2点満点中\1点"),
    rule(r"(?<![A-Za-z])(HP|MP|SP|EXP)[:：]?[ ]?(\d{1,6})/(\d{1,6})(?!\d)", r"\1、\3中\2"),
    rule(r"(?<![\d-])(\d{1,3})-(\d{1,3})(?=で(?:勝|敗|負|引き分け|リード|快勝|辛勝)|の(?:勝利|敗戦|"
         r"引き分け))", r"\1対\2"),
    rule(rf"(?<![\d.])({_NUMBER})m/s[²2](?![A-Za-z])", r"\1メートル毎秒毎秒"),
    rule(r"(?<=円)/([人日月年個回泊枚])", r"、1\1あたり"),
    rule(r"#(?=\d)", "ナンバー"),
    rule(r"(?<![A-Za-z])Lv\.?[ ]?(?=\d)", "レベル"),
    rule(r"(?<=°)(\d{1,2})['′]", r"\1分"),
    rule(r"(?<![\d-])\+\d{1,3}(?:[ -]\d{1,4}){2,4}(?![\d-])", _phone),
    rule(rf"(?<![\d.-])\d{{3}}-\d{{4}}(?![\d.-]|{_COUNTER})", lambda m: "、".join(map(_figures, m[0].split("-")))),
    rule(r"(?<![\d.A-Za-z])(\d{1,3})[hH](\d{1,2})(?:min|m|M)?(?![A-Za-z\d])", r"\1時間\2分"),
    rule(r"(?<![\d.A-Za-z])(\d{1,3})min(?![A-Za-z])", r"\1分"),
    rule(rf"({_NUMBER})[eE](-?)\+?(\d{{1,3}})(?![\d.A-Za-ln-z])",
         lambda m: f"{m[1]}かける10の{'マイナス' if m[2] else ''}{m[3]}乗"),
    rule(r"(?i)(?<![A-Za-z0-9])(?:https?://|www\.)[!-~]{3,200}|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{3,80}", _address),
    rule(r"[Ⅰ-ⅿ]+", _roman),
    rule(r"(?<![A-Za-z])(?:I{1,3}|IV|VI{1,3}|IX)(?=[型期級類世章部])", lambda m: str(roman(m[0]))),
    rule(r"(?<![\d.A-Za-z])(\d)'[ ]?(\d{1,2})(?:\"|'')", r"\1フィート\2インチ"),
    rule(r"(?<![\d.A-Za-z\"])(\d{1,3}(?:\.\d)?)\"(?=[ ]?[\u3041-\u30ff\u4e00-\u9fff]|[。、]|\Z)",
         unless_quoted(r"\1インチ")),
    rule(r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?!\d)", lambda m: m[0].replace(",", "")),
    rule(r"(?<![\d-])\+?(?:\(?0\d{1,4}\)?|81)[- ]?\d{1,4}-\d{3,4}(?:-\d{3,4})?(?![\d-])", _phone),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>[0-3]?\d)(?![\d/-])", _date),
    rule(r"(?<![\w./-])(?P<year>\d\d)\.(?P<month>0[1-9]|1[0-2])\.(?P<day>0[1-9]|[12]\d|3[01])"
         r"(?![A-Za-z\d/-]|\.\d)", _date),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)-(?P<month>0[1-9]|1[0-2])(?P<day>)(?![\d/-])", _date),
    rule(rf"(?<![A-Za-z\d./-]){_SHORT_DATE}[ ]?[-–—~～〜][ ]?{_SHORT_DATE}(?![A-Za-z\d/-])",
         _date_range),
    rule(rf"(?<![A-Za-z\d./-])(?:(?<=今日は)|(?<=明日は)|(?<=昨日は)|(?<=締切は)|(?<=締め切りは)|(?<=期限は)|(?<=日時：)|(?<=日時:)|"
         rf"(?<=日付：)|(?<=日付:)|(?<=毎年)|"
         rf"(?=\d{{1,2}}/\d{{1,2}}[ ]?(?:[(（][月火水木金土日祝・]{{1,3}}[)）]|まで|から|より|以降|"
         rf"以前|に[開発始行出公実]|[の]?(?:午前|午後|夜|朝|昼|会議|予定|試合|発売|公開|開催|ライブ)|発売|開催|開始|公開|締切|生まれ)))"
         rf"{_SHORT_DATE}(?![\d/.])", lambda m: f"{int(m[1])}月{int(m[2])}日"),
    rule(r"(?<![A-Za-z\d./-])(1[0-2]|0?[1-9])/(1[3-57-9]|2[1-36-9]|31)(?![A-Za-z\d/.-])", _likely_date),
    rule(r"(?<![\d/])(20\d\d|19\d\d)/(0?[1-9]|1[0-2])(?![\d/])", lambda m: f"{m[1]}年{int(m[2])}月"),
    rule(r"(?<![\d/])24/7(?![\d/])", "24時間7日"),
    rule(r"(?<=[A-Z])[~～〜](?=[A-Z](?![A-Za-z]))", "から"),
    rule(r"<([ぁ-ヿ一-鿿]{1,20})>", r"\1"),
    rule(rf"({_NUMBER})[ ]?({'|'.join(_CODES)})(?![A-Za-z])", lambda m: m[1] + _CODES[m[2]]),
    rule(rf"(?<![A-Za-z])({'|'.join(_CODES)})[ ]?({_NUMBER})", lambda m: m[2] + _CODES[m[1]]),
    rule(rf"(?<=日)[T ]?{_CLOCK}(?:Z(?![A-Za-z])|[+-]\d\d:?\d\d)?(?![\d:])", _clock),
    rule(rf"(?<![\d:.]){_CLOCK}(?![\d:])", _clock),
    rule(r"(?<![\d:])(\d{1,9})[ ]?:[ ]?(\d{1,9})(?![\d:])",
         lambda m: f"{m[1]}{'対' if max(map(len, m.groups())) < 4 else 'たい'}{m[2]}"),
    rule(r"(?<=\d)[ ]?[-−–][ ]?(?=\d{1,9}[ ]?=)", "ひく"),
    rule(rf"(?P<minus>(?<![\d\w])[-−–])?(?:US(?=\$))?(?P<sign>{_CURRENCY})[ ]?(?P<amount>{_NUMBER})"
         rf"(?:{_TO}(?:{_CURRENCY})?(?P<last>{_NUMBER}))?(?P<many>[ ]?[万億千百萬兆]{{1,2}})?", _price),
    rule(rf"(?<=\d[日人個代時分秒円年月歳回階本枚台度万億千百%]){_TO}(?=\d|午[前後])", "から"),
    rule(r"(?<=[年月日時分])[~～〜](?=[令平昭大明翌午])", "から"),
    rule(r"(?<![A-Za-z])[Pp]{1,2}\.[ ]?(\d{1,4})(?!\d)", r"\1ページ"),
    rule(r"(?<=\d°C)[ ]?[-~～〜–][ ]?(?=\d)", "から"),
    rule(r"(?<=\d)[ ]?[~～〜–—][ ]?(?=\d)", "から"),
    rule(rf"(?<![\d.-])(\d{{1,4}})-(?=\d{{1,4}}(?:{_COUNTER}))", r"\1から"),
    rule(r"(?<=[月火水木金土日])[~～〜-](?=[月火水木金土日](?![一-鿿]))", "から"),
    rule(r"(?<![\d\w%)）])[–−‒－-](?=\d)|(?<=[\u3041-\u30ff\u4e00-\u9fff])[–−-](?=\d)", "マイナス"),
    rule(rf"({_NUMBER})[ ]?({'|'.join(_SPEEDS)})(?![A-Za-z])", _speed),
    rule(rf"({_NUMBER})[ ]?°[ ]?([CF])?(?![A-Za-z])", _degrees),
    rule(rf"(?P<amount>{_NUMBER})[ ]?(?P<unit>{_UNIT})(?P<power>[²³]|\^[23])?(?:/(?P<per>{_UNIT})(?P<below>[²³])?)?"
         r"(?![A-Za-z²³^]|/(?!\d))", _measure),
    rule(rf"({_NUMBER})[eE](-?)\+?(\d{{1,3}})(?![\w.])",
         lambda m: f"{m[1]}かける10の{'マイナス' if m[2] else ''}{m[3]}乗"),
    rule(r"(?<![\d/])(\d{1,4})/(\d{1,4})(?![\d/])", r"\2分の\1"),
    rule(r"(\d{0,4})([" + "".join(VULGAR) + "])",
         lambda m: (f"{m[1]}と" if m[1] else "") + f"{VULGAR[m[2]][1]}分の{VULGAR[m[2]][0]}"),
    rule(r"(?<=[A-Za-z][²³])[ ]?[-−–][ ]?(?=[\dA-Za-z(])", "マイナス"),
    rule(r"(?<=[\w)）])(?:\^(?=-?\d)|(?=[⁰¹²³⁴-⁹⁻]))(⁻?[⁰¹²³⁴-⁹]+|-?\d{1,3})", _power),
    rule(r"(?<=\d)[ ]?[xX*][ ]?(?=\d)", "かける"),
    rule(r"(?<=[A-Za-z])\+\+", "プラスプラス"),
    rule(rf"[ ]?(?:{_SIGN})[ ]?(?=[\w(（√-])", lambda m: _SIGNS[m[0].strip()]),
    rule(r"(?<=\d)‰", "パーミル"),
    rule(r"[αβγδεζηθικλμνξοπρσςτυφχψω]", lambda m: _GREEK[m[0]]),
    rule(r"[ΓΔΘΛΞΠΣΦΨΩ]", lambda m: _GREEK[m[0].lower()]),
)  # fmt: skip
