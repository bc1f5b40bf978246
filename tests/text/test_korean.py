"""Written Korean and what is said for it, and that no figure is left to the voices, which would spell it out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.normalize import normalize

SAID = [
    # dates and times
    ("2024년 5월 3일 오후 3시 30분", "이천이십사년 오월 삼일 오후 세시 삼십분"),
    ("2024-05-03과 2024.5.3.", "이천이십사년 오월 삼일과 이천이십사년 오월 삼일."),
    ("2024/6/10", "이천이십사년 유월 십일"),
    ("6월과 10월, 16월드", "유월과 시월, 십육월드"),
    ("6·25와 12·12, 3·1절, '24년", "육이오와 십이십이, 삼일절, 이십사년"),
    ("15:30에 9:05까지, 12:00, 0:30", "십오시 삼십분에 아홉시 오분까지, 열두시, 영시 삼십분"),
    ("9시~18시", "아홉시에서 십팔시"),
    ("10:20:30", "열시 이십분 삼십초"),
    ("3시즌 3시간 3시", "삼시즌 세시간 세시"),
    ("5/3(금) 2:30~4:00에", "오월 삼일(금) 두시 삼십분에서 네시에"),
    ("3.1절, 8.15 광복절, 5.18 민주화운동, 3.1배", "삼일절, 팔일오 광복절, 오일팔 민주화운동, 삼점일배"),
    ("2024-05, AM 10:00, PM 3시", "이천이십사년 오월, 오전 열시, 오후 세시"),
    # money
    ("가격은 $12.50, ₩3,000, €20", "가격은 십이달러 오십센트, 삼천원, 이십유로"),
    ("US$5M, $1.2B, $3만, 100 USD", "오백만 미국 달러, 십이억달러, 삼만달러, 백달러"),
    ("12,500원, 3억 5천만 원, 1만 원, 2.5억", "만이천오백원, 삼억 오천만 원, 만 원, 이점오억"),
    ("100$, 1,000円, 1만~2만 원", "백달러, 천엔, 만에서 이만 원"),
    # percent, degrees, units
    ("50%와 3.5%p, 10~20%", "오십퍼센트와 삼점오퍼센트포인트, 십에서 이십퍼센트"),
    ("25℃, -5℃, 70°F, 90°", "섭씨 이십오도, 영하 오도, 화씨 칠십도, 구십도"),
    (
        "-3.5%, +5%, 3%~5%, 25~30℃",
        "마이너스 삼점오퍼센트, 플러스 오퍼센트, 삼퍼센트에서 오퍼센트, 섭씨 이십오에서 삼십도",
    ),
    ("5kg~10kg, 3², 2x4", "오킬로그램에서 십킬로그램, 삼 제곱, 이 곱하기 사"),
    ("5km, 100㎡, 3.5kg을, 500ml", "오킬로미터, 백제곱미터, 삼점오킬로그램을, 오백밀리리터"),
    ("60km/h, 10m/s, 16GB", "시속 육십킬로미터, 초속 십미터, 십육기가바이트"),
    ("５ｋｇ과 ５㎏", "오킬로그램과 오킬로그램"),
    # telephones and codes
    ("010-1234-5678", "공일공-일이삼사-오육칠팔"),
    ("(02) 123-4567, 1588-1234", "공이-일이삼-사오육칠, 일오팔팔-일이삼사"),
    ("+82-10-1234-5678, 01012345678", "플러스 팔이-일공-일이삼사-오육칠팔, 공일공-일이삼사-오육칠팔"),
    ("02)123-4567, 비밀번호 1234, 인증번호는 0072", "공이-일이삼-사오육칠, 비밀번호 일이삼사, 인증번호는 공공칠이"),
    ("119에 신고, 119명", "일일구에 신고, 백열아홉명"),
    ("007, 900101-1234567", "공공칠, 구공공일공일-일이삼사오육칠"),
    # counted
    ("3명과 20살, 21권, 100만 명", "세명과 스무살, 스물한권, 백만 명"),
    ("3~5명, 10~20분", "세명에서 다섯명, 십에서 이십분"),
    ("20대 여성, 차 2대, 3대 요소", "이십대 여성, 차 두대, 삼대 요소"),
    ("1번째, 11번째, 3번 출구, 3번 갔다", "첫번째, 열한번째, 삼번 출구, 세번 갔다"),
    ("3개월, 5개국, 제2장, 사진 2장", "삼개월, 오개국, 제이장, 사진 두장"),
    # numbers and signs
    ("1/2, ½, 3:2로, 1+1, 2×3, -7", "이분의 일, 이분의 일, 삼 대 이로, 일 더하기 일, 이 곱하기 삼, 마이너스 칠"),
    ("0, 0.05, 1001, 10000, 110000, 100000000", "영, 영점영오, 천일, 만, 십일만, 일억"),
    ("2.0.1 판", "이 점 영 점 일 판"),
    ("mp3, 5G, B2B, GPT-4o, A4", "mp쓰리, 파이브G, B투B, GPT-포o, A포"),
    ("iPhone 15, COVID-19", "iPhone 십오, COVID-십구"),
    ("C#, #3, 2024/25 시즌", "C 샵, 삼번, 이천이십사 이십오 시즌"),
    ("R&D와 C++", "R 앤 D와 C 플러스 플러스"),
    # addresses
    ("help@naver.com으로", "help 골뱅이 naver 점 com으로"),
    ("https://example.co.kr/a-b 참고", "example 점 co 점 kr 슬래시 a 대시 b 참고"),
]


@pytest.mark.parametrize(("written", "said"), SAID)
def test_korean(written: str, said: str) -> None:
    spoken = normalize(written, "ko")

    assert spoken.text == said
    assert normalize(spoken.text, "ko").text == said, "what is words already stays as it is"


def test_each_number_knows_where_it_was_written() -> None:
    written = "사과 3개를 $5에"
    spoken = normalize(written, "ko")

    said = {written[a:b].strip(): spoken.text[start:end].strip() for start, end, a, b in spoken.spans}
    assert said["3개"] == "세개"
    assert said["$5"] == "오달러"


def test_twenty_figures_have_a_name_and_more_are_spelled() -> None:
    assert normalize("1" + "0" * 19, "ko").text == "천경"
    assert normalize("1" * 21, "ko").text == "일" * 21


PIECES = [*"0123456789", *" .,:;~-–/%°+=×€$₩₹½²()[]'\"@#&_\n", *"개명시분월일년원대장번제만억조가나다", *"kKmMgGbBAx",
          "km", "kg", "m2", "010-", "12:30", "2024-05-03", "a@b.com", "www.a.kr ",
          "℃", "㎡", "１", "٣", "漢"]  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_figure_is_left_and_nothing_explodes(text: str) -> None:
    spoken = normalize(text, "ko")

    assert not any(char.isascii() and (char.isdigit() or char in "$€%~=+#@&_") for char in spoken.text)
    assert len(spoken.text) <= 20 * len(text)
    source_at = 0
    for _, _, start, end in spoken.spans:
        assert source_at <= start < end <= len(text)
        source_at = end
