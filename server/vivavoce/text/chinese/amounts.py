"""Numbers of their own: groups of thousands, telephones, ratios, round amounts, fractions in one sign."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.bare import BARE
from vivavoce.text.chinese.numerals import DIGITS, HAN, NUMBER, cardinal, digits, roman_number
from vivavoce.text.english.fractions import VULGAR
from vivavoce.text.english.numerals import roman
from vivavoce.text.english.rule import Rule, rule, unless_quoted

_RATIO_BEFORE: Final = re.compile(r"(?:比例?|比分|比率|赔率|配比|按|以|概率|兑|份|稀释|混合)[是为约：:了]?[ ]?\Z")
_TIME_BEFORE: Final = re.compile(
    r"(?:早上?|上午|下午|晚上?|凌晨|中午|傍晚|时间|点|在|于|日|号|周.|星期.|到|至|从|[-–~～])[是为：:]?[ ]?\Z"
)
_CODE_BEFORE: Final = re.compile(r"(?:码|号|拨打|打|电话|邮编|尾号|账户|QQ|ID|口令|房间)[是为：:]{0,2}[ ]?\Z")


def _joined(found: re.Match[str]) -> str | None:
    """10 000 and 1 234 567; three groups of three may be a telephone's."""
    groups = found[0].split(" ")
    return cardinal(int("".join(groups))) if "000" in groups or len(groups) > 3 or len(groups[0]) < 3 else None


def _grouped(found: re.Match[str]) -> str:
    whole, point, part = found[0].replace(",", "").partition(".")
    return (cardinal(int(whole)) if len(whole) > 4 and not point else whole + point + part) or "零"


def _phone(found: re.Match[str]) -> str | None:
    groups = re.findall(r"\d+", found[0])
    if not 7 <= sum(map(len, groups)) <= 15:
        return None
    return ("加" if found[0][0] == "+" else "") + "，".join(map(digits, groups))


def _ratio(found: re.Match[str]) -> str | None:
    front = found.string[max(0, found.start() - 6) : found.start()]
    is_time = len(found[2]) == 2 and int(found[2]) < 60 and int(found[1]) <= 24
    if is_time and (_RATIO_BEFORE.search(front) is None or _TIME_BEFORE.search(front)):
        return None
    return f"{found[1]}比{found[2]}"


def _round(found: re.Match[str]) -> str | None:
    """5000 and 20000 are amounts wherever no code is told; their front end reads five figures one by one."""
    front = found.string[max(0, found.start() - 8) : found.start()]
    return None if _CODE_BEFORE.search(front) else cardinal(int(found[0]))


_MANY_OF: Final = "用户|粉丝|下载|播放|阅读|点赞|关注|观看|浏览|人|次|条|参数|元|美元"


def _thousands(found: re.Match[str]) -> str:
    """300K用户, 5M下载: in Chinese counted by ten thousands."""
    value = round(float(found[1]) * {"K": 1000, "k": 1000, "M": 1_000_000, "B": 1_000_000_000}[found[2]])
    return cardinal(value)


def _network(found: re.Match[str]) -> str:
    """192.168.0.1, figure by figure."""
    return "点".join("".join(DIGITS[int(figure)] for figure in part) for part in found[0].split("."))


_BOOKS: Final = (
    "(?<=创世记)|(?<=出埃及记)|(?<=诗篇)|(?<=箴言)|(?<=福音)|(?<=使徒行传)|(?<=罗马书)|(?<=启示录)|"
    "(?<=以赛亚书)|(?<=希伯来书)"
)


def _verse(found: re.Match[str]) -> str:
    """约翰福音3:16: chapter and verse."""
    chapter, verse = re.split("[:：]", found[0].strip())
    return f"{cardinal(int(chapter))}章{cardinal(int(verse))}节"


def _code(found: re.Match[str]) -> str:
    return found[1] + digits(found[2])


GROUPS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.])\.(?=\d)", "0."),
    rule(r"(?<![\d.,+])[1-9]\d{0,2}(?:[ ]\d{3}){2,4}(?![\d.,]|[ ]\d)|(?<![\d.,+])[1-9]\d{0,2}[ ]000(?![\d.,]|[ ]\d)",
         _joined),
)  # fmt: skip

NAMED: Final[tuple[Rule, ...]] = (
    rule(r"[₀-₉]+", lambda m: "".join(DIGITS[ord(char) - 0x2080] for char in m[0])),
    rule(r"(?<![A-Za-z])WWI{1,2}(?![A-Za-z])", lambda m: "第二次世界大战" if len(m[0]) == 4 else "第一次世界大战"),
    rule(rf"(?<![\d.A-Za-z])({NUMBER})([KkMB])(?=\+?(?:{_MANY_OF}))", _thousands),
    rule(r"#(?=\d{1,4}名)", "第"),
    rule(r"(?<!\w)#(\d{1,4})(?![\w号])", r"\1号"),
    rule(r"(?<![A-Za-z])Lv\.?[ ]?(?=\d)", "等级"),
    rule(r"(?<=°)(\d{1,2})['′](?:(\d{1,2})(?:\"|″))?", lambda m: f"{m[1]}分" + (f"{m[2]}秒" if m[2] else "")),
    rule(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", _network),
    rule(r"(?<![\w./@:-])([A-Z])2([A-Z])(?![\w.@-])", r"\1 to \2"),
    rule(r"(?<=年)Q([1-4])(?!\w)", lambda m: f"第{cardinal(int(m[1]))}季度"),
    rule(r"(?<![A-Za-z])(I{1,3}|IV|VI{1,3}|IX)(?=[型期级类度](?!号))", lambda m: cardinal(roman(m[1]) or 0)),
    rule(r"(?<![A-Za-z])[Nn][Oo]\.?[ ]?(\d{1,4})(?![\d.])", lambda m: f"第{cardinal(int(m[1]))}"),
    rule(r"(?<!\d)([0-9])([05])(?=[后後](?![天日年月个]))", lambda m: DIGITS[int(m[1])] + DIGITS[int(m[2])]),
    rule(rf"(?:{_BOOKS})[ ]?\d{{1,3}}[:：]\d{{1,3}}(?!\d)", _verse),
    rule(r"(?<=第)([IVX]{1,6})(?=[章节部卷集届代期编条])",
         lambda m: cardinal(roman(m[1]) or 0) if roman(m[1]) else None),
    rule(r"(?<=\d)w(?![A-Za-z\d])|(?<=\d)W(?=\+?[人粉次播阅点赞])", "万"),
    rule(r"(?<![\d.A-Za-z])(\d{1,3})[hH](\d{1,2})(?:min|m|M)(?![A-Za-z])", r"\1小时\2分钟"),
    rule(r"(?<![\d.A-Za-z])(\d)'[ ]?(\d{1,2})(?:\"|'')", r"\1英尺\2英寸"),
    rule(r"(?<![\d.A-Za-z\"])(\d{1,3}(?:\.\d)?)\"(?=[ ]?[\u4e00-\u9fff])", unless_quoted(r"\1英寸")),
)  # fmt: skip

NUMERALS: Final[tuple[Rule, ...]] = (
    rule(r"[Ⅰ-ⅿ]+", roman_number),
    rule(r"(?<![\d.,])\d{1,3}(?:,\d{3})++(?:\.\d{1,9})?(?!\d)", _grouped),
)  # fmt: skip

TELEPHONES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=ISBN)([：: ]{0,2})(\d{1,5}(?:-[\dX]{1,7}){2,4})(?![\d-])",
         lambda m: m[1] + "，".join(map(digits, m[2].split("-")))),
    rule(r"(?<![\d.,:/A-Za-z-])1[3-9]\d{9}(?![\d.,:/A-Za-z-])", lambda m: digits(m[0])),
    rule(r"((?:验证|邮政?编|校验|授权|口令|密)码?[是为：:]{0,2}[ ]?|"
         r"(?:QQ|微信|尾|账|卡|学|工|编|证件?)号[码]?[是为：:]{0,2}[ ]?|"
         r"(?:拨打?|(?:打|报警?)(?=1[12]\d(?!\d))))(\d{3,20})(?![\d.,:/-]|[个元次])",
         _code),
    rule(r"(?<![\d.,-])\d-\d{3}-\d{3}-\d{4}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])(?:\+?86[ -]?)?1[3-9]\d[ -]\d{4}[ -]\d{4}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])\+?\d{3,4}-\d{3,4}-\d{3,4}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])0\d{2,3}-\d{7,8}(?![\d-])", _phone),
    rule(r"(?<![\d.,-])\+\d{1,3}[- ]\d{2,4}[- ]\d{6,8}(?![\d-])", _phone),
    rule(r"(?<=[话打机线])([：:是为]?[ ]?)\d{3,4}-\d{4}(?![\d-])", lambda m: m[1] + "，".join(map(digits,
    m[0][len(m[1]):].split("-")))),
)  # fmt: skip

RATIOS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d:：])(\d{1,9})[ ]?[:：][ ]?(\d{1,9})(?![\d:：])", _ratio),
)  # fmt: skip

AMOUNTS: Final[tuple[Rule, ...]] = (
    rule(r"(?:(?<=指数|数量|总数|得分|高达|超过|接近|大约)|(?<=[于加减乘以约比共近]))[1-9]\d{2,8}(?![\d.:年/-])",
         lambda m: cardinal(int(m[0]))),
    rule(rf"(?<![\d.,:/A-Za-z-])[1-9]\d{{2,11}}(?=[步届名位条份家所台辆件张只本集座字期版]|"
         rf"[{HAN}]?(?:以上|左右|多|余))", lambda m: cardinal(int(m[0]))),
    rule(r"(?<![\d.,:/A-Za-z+-])[1-9]\d{0,5}000(?![\d.,:/A-Za-z-]|年)", _round),
    *BARE,
    rule(r"(\d{0,4})([" + "".join(VULGAR) + "])", lambda m: (f"{m[1]}又" if m[1] else "")
         + f"{cardinal(VULGAR[m[2]][1])}分之{cardinal(VULGAR[m[2]][0])}"),
)  # fmt: skip
