"""Numbers of three figures and more with nothing around them: amounts, years, names and numbers of somebody.

The front end reads an amount only where it knows the word behind the number, and everything else figure by figure:
"价格是199" and "买300送100" are amounts all the same. Comes last of the rules of numbers.
"""

# ruff: noqa: SIM905  # words in one string read better than a column of quoted ones
from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.numerals import cardinal, digits
from vivavoce.text.english.rule import Rule, rule

# Read figure by figure wherever they stand: hotlines, days of shopping, what has become a word.
_WORDS: Final = frozenset(
    "110 119 114 122 211 985 996 315 911 404 618 818 520 521 1314 666 2333 233 10086 10010 12306 12315 12345 "
    "95588".split()
)
_NAMED_BEFORE: Final = re.compile(
    r"(?:码|号|电话?|手机|拨打?|打|回复|发送|房间?|室|教室|航班|公交|QQ|ID|密|令|国道|省道|频道|波音|空客|标致|奔驰|宝马|马自达|"
    r"骁龙|锐龙|天玑|麒麟|酷睿|邮编|热线|客服)[是为：:]{0,2}[ ]?\Z"
)
_NAMED_BEHIND: Final = re.compile(
    r"[ ]?(?:路|线|次列|航班|国道|房间?|室|号|班车|工程|高校|事件|大促|晚会|错误|页面|频道|热线|浏览器|邮箱|"
    r"程序员|大厦|艺术区|工作制|杀毒)"
)
_NO_NUMBER: Final = re.compile(r"(?:年|公元前?|[A-Za-z])[ ]?\Z")
_COUNTERS: Final = frozenset(
    "元块万亿千百人个天次年月日页米度分升秒吨伏斤岁位本只条件台辆张把家所部种倍点公千厘毫平小时号楼层"
)
_AMOUNT_BEFORE: Final = re.compile(
    r"(?:价格?|售价?|只要|仅需|只需|花[了费]?|赚了?|付了?|[共总]计?|大?约|近|超过?|欠[我他她你]?|涨[了到]?|跌[了到至]?|送|满|"
    r"[再立]?减|赠|返|加|乘以?|除以|得分?|卖了?|给[了我你他她]?|[量数额值]|[跑走写有]了?)[是为：:]{0,2}[ ]?\Z"
)


def _bare(found: re.Match[str]) -> str | None:
    written, text = found[0], found.string
    front, behind = text[max(0, found.start() - 8) : found.start()], text[found.end() : found.end() + 1]
    if behind in _COUNTERS or _NO_NUMBER.search(front):  # the front end reads these well
        return None
    if written in _WORDS or _NAMED_BEFORE.search(front) or _NAMED_BEHIND.match(text, found.end()):
        return digits(written)
    is_amount = _AMOUNT_BEFORE.search(front) is not None
    may_be_year = len(written) == 4 and "1500" <= written < "2100"
    if (may_be_year or len(written) > 6) and not is_amount:
        return None
    return cardinal(int(written))


BARE: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d.,:/A-Za-z+-])[1-9]\d{2,5}(?=乘)", lambda m: cardinal(int(m[0]))),
    rule(r"(?<![\d.,:/A-Za-z+-])([1-9]\d{2,8})[-–~～](?=[1-9]\d{1,8}[元人个米千公斤块度天岁次万])",
         lambda m: f"{cardinal(int(m[1]))}到"),
    rule(r"(?<![\d.,:/A-Za-z+#@-])(?<!第)[1-9]\d{2,8}(?![\d.:/A-Za-z%％‰℃°-]|,\d|年|\+\d)", _bare),
)  # fmt: skip
