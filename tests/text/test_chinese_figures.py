"""Figures in Chinese, as they are said."""

from __future__ import annotations

import pytest

from vivavoce.text.chinese_figures import say_figures, whole_number


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "零"), ("5", "五"), ("10", "十"), ("12", "十二"), ("20", "二十"), ("100", "一百"), ("101", "一百零一"),
        ("110", "一百一十"), ("1001", "一千零一"), ("1010", "一千零一十"), ("10000", "一万"), ("10010", "一万零一十"),
        ("110000", "十一万"), ("1000100", "一百万零一百"), ("100001000", "一亿零一千"), ("120000000", "一亿二千万"),
        ("1234567", "一百二十三万四千五百六十七"), ("1000000000000", "一万亿"), ("007", "零零七"),
        ("12345678901234567", "一二三四五六七八九零一二三四五六七"),
    ],
)  # fmt: skip
def test_whole_numbers(digits: str, said: str) -> None:
    assert whole_number(digits) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("花12.5元", "花十二点五元"),
        ("涨了-5%", "涨了负百分之五"),
        ("2026年有365天", "二零二六年有三百六十五天"),
        ("3年", "三年"),
        ("1,234,567人", "一百二十三万四千五百六十七人"),
        ("没有", "没有"),
        ("9:00-18:30开门", "九点到十八点三十分开门"),
        ("8:05出发", "八点零五分出发"),
        ("喝了1/2杯", "喝了二分之一杯"),
        ("等5-7天", "等五到七天"),
        ("零下5℃", "零下五度"),
        ("版本2.0.1", "版本二点零点一"),
        ("气温-5度", "气温负五度"),
    ],
)
def test_in_a_text(text: str, said: str) -> None:
    assert say_figures(text) == said
