"""The client against a stand-in of Hugging Face's servers: each of their ways to answer, and of a hostile one's."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import huggingface_hub
import pytest

from inference_stand_in import CAPTION, PUBLIC, ROUTER, InferenceStandIn
from vivavoce.errors import HostedModelBusy, HostedModelFailed, HostedModelTimeout
from vivavoce.hosted.addresses import AddressRefused
from vivavoce.hosted.asking import HostedLimits
from vivavoce.hosted.inference import HostedModels

TOKEN = "hf_a_secret_of_the_caller"
HOSTILE = 'She said "no",\n\tC:\\dir, {"a": 1} \u2028 ' + "\N{GRINNING FACE}é漢\x01"


@pytest.fixture(scope="module")
def hub_of_all() -> Iterator[InferenceStandIn]:
    with InferenceStandIn() as hub:
        yield hub


@pytest.fixture
def hub(hub_of_all: InferenceStandIn) -> InferenceStandIn:
    hub_of_all.forget()
    return hub_of_all


class Pauses:
    """Waits for nothing and remembers how long it should have been."""

    def __init__(self) -> None:
        self.s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.s.append(seconds)


@asynccontextmanager
async def client(hub: InferenceStandIn, *, sleep: Pauses | None = None, **limits: float) -> AsyncIterator[HostedModels]:
    models = HostedModels(
        hub.transport(),
        hosts=("models.example.org",),
        limits=HostedLimits(**limits),  # type: ignore[arg-type]
        sleep=sleep or Pauses(),
    )
    try:
        yield models
    finally:
        await models.aclose()


async def heard(models: HostedModels, url: str, text: str = "hello", token: str | None = TOKEN) -> bytes:
    async with models.sound(models.target(url), token, text) as sound:
        return b"".join([part async for part in sound])


async def test_a_sound_comes_as_it_was_made(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        assert await heard(models, hub.url("flac")) == hub.flac
    assert hub.asked[0].token == TOKEN
    assert hub.asked[0].json == {"inputs": "hello"}
    assert hub.dialled == [PUBLIC]


@pytest.mark.parametrize("text", [HOSTILE, "x" * 4096, "\N{GRINNING FACE}" * 4096, '"', "\\", "\n"])
async def test_a_text_arrives_as_it_was_written(hub: InferenceStandIn, text: str) -> None:
    async with client(hub) as models:
        await heard(models, hub.url("flac"), text)
    assert hub.asked[0].json == {"inputs": text}
    assert hub.asked[0].content_type == "application/json"


async def test_parameters_travel_with_the_text(hub: InferenceStandIn) -> None:
    async with client(hub) as models, models.sound(models.target(hub.url("flac")), None, "a", {"seed": 3}):
        pass
    assert hub.asked[0].json == {"inputs": "a", "parameters": {"seed": 3}}
    assert hub.asked[0].token is None


async def test_half_a_character_in_a_parameter_is_none(hub: InferenceStandIn) -> None:
    half = {"style": "\ud83d"}
    async with client(hub) as models, models.sound(models.target(hub.url("flac")), TOKEN, "hi", half) as sound:
        assert b"".join([part async for part in sound]) == hub.flac
    assert hub.asked[0].json == {"inputs": "hi", "parameters": {"style": "?"}}


@pytest.mark.parametrize(("behaviour", "caption"), [("caption-list", CAPTION), ("caption-object", CAPTION[0])])
async def test_captions_are_lists_or_objects(hub: InferenceStandIn, behaviour: str, caption: object) -> None:
    async with client(hub) as models:
        assert (
            await models.caption(models.target(hub.url(behaviour)), TOKEN, b"\xff\xd8picture", "image/jpeg") == caption
        )
    assert (hub.asked[0].body, hub.asked[0].content_type) == (b"\xff\xd8picture", "image/jpeg")


async def test_speech_is_recognized(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        found = await models.transcript(models.target(hub.url("transcript")), TOKEN, b"RIFF", "audio/wav")
        assert found["text"] == " hello there"
        with pytest.raises(HostedModelFailed, match="no text"):
            await models.transcript(models.target(hub.url("caption-object")), TOKEN, b"RIFF", "audio/wav")


async def test_a_loading_model_is_waited_for(hub: InferenceStandIn) -> None:
    pauses = Pauses()
    async with client(hub, sleep=pauses) as models:
        assert await heard(models, hub.url("loading")) == hub.flac
    assert pauses.s == [7.5, 7.5]
    assert [asked.token for asked in hub.asked] == [TOKEN] * 3


async def test_a_model_that_never_loads_is_given_up(hub: InferenceStandIn) -> None:
    pauses = Pauses()
    async with client(hub, sleep=pauses) as models:
        with pytest.raises(HostedModelTimeout, match="still being loaded"):
            await heard(models, hub.url("always-loading"))
    assert pauses.s == [20.0, 20.0, 20.0]


async def test_no_pause_goes_beyond_the_deadline(hub: InferenceStandIn) -> None:
    pauses = Pauses()
    async with client(hub, sleep=pauses, begin_s=10.0) as models:
        with pytest.raises(HostedModelTimeout):
            await heard(models, hub.url("always-loading"))
    assert pauses.s == []


@pytest.mark.parametrize(
    ("behaviour", "kind", "sentence"),
    [
        ("busy", HostedModelBusy, "429: Rate limit reached"),
        ("broke", HostedModelFailed, "402: You have exceeded your monthly included credits"),
        ("wrong-token", HostedModelFailed, "401: Invalid credentials"),
        ("missing", HostedModelFailed, "404: Not Found"),
        ("gone", HostedModelFailed, "410: api-inference"),
        ("list-error", HostedModelFailed, "400: first reason; second reason"),
        ("false-ok", HostedModelFailed, "failed: CUDA out of memory"),
        ("bare-500", HostedModelFailed, "500: it gave no reason"),
        ("page", HostedModelFailed, "answers text/html, not sound"),
        ("caption-list", HostedModelFailed, "answers JSON, not sound"),
        ("large-json", HostedModelFailed, "larger than 1024 KiB"),
        ("deep-json", HostedModelFailed, "not JSON"),
        ("compressed", HostedModelFailed, "compressed"),
    ],
)
async def test_refusals_are_told(
    hub: InferenceStandIn, behaviour: str, kind: type[HostedModelFailed], sentence: str
) -> None:
    async with client(hub) as models:
        with pytest.raises(kind, match=sentence):
            await heard(models, hub.url(behaviour))


async def test_a_busy_model_passes_its_pause_on(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        with pytest.raises(HostedModelBusy) as busy:
            await heard(models, hub.url("busy"))
    assert (busy.value.status, busy.value.retry_after_s) == (429, 7.0)


async def test_the_superseded_host_is_never_asked(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        old = models.target("https://api-inference.huggingface.co/models/org/flac")
        async with models.sound(old, TOKEN, "hello") as sound:
            assert b"".join([part async for part in sound]) == hub.flac
    assert [(asked.host, asked.path) for asked in hub.asked] == [(ROUTER, "/hf-inference/models/org/flac")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/fal-ai/fal", {"text": "hi"}),
        ("/replicate/v1/models/x/predictions", {"input": {"text": "hi"}}),
        ("/replicate/v1/models/x/created", {"input": {"text": "hi"}}),
    ],
)
async def test_providers_put_the_sound_elsewhere(hub: InferenceStandIn, path: str, body: object) -> None:
    async with client(hub) as models:
        assert await heard(models, f"https://{ROUTER}{path}", "hi") == hub.flac
    first, second = hub.asked
    assert first.json == body
    assert (second.method, second.host, second.token) == ("GET", "v3.fal.media", None)


async def test_a_provider_cannot_name_any_address(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        with pytest.raises(HostedModelFailed, match="lies on a host that is not called from here"):
            await heard(models, f"https://{ROUTER}/fal-ai/fal-private")
    assert hub.dialled == [PUBLIC]


# -- addresses


async def test_a_redirect_stays_on_its_host(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        assert await heard(models, hub.url("moved")) == hub.flac
        assert [asked.token for asked in hub.asked] == [TOKEN, TOKEN]
        assert hub.asked[1].json == {"inputs": "hello"}


@pytest.mark.parametrize("behaviour", ["metadata", "metadata-https", "elsewhere", "around", "found"])
async def test_no_redirect_leads_away(hub: InferenceStandIn, behaviour: str) -> None:
    async with client(hub) as models:
        with pytest.raises(HostedModelFailed, match="redirects"):
            await heard(models, hub.url(behaviour))
    assert set(hub.dialled) == {PUBLIC}
    assert {asked.host for asked in hub.asked} == {ROUTER}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket of this machine that would hear whoever is lured to it."""
    with socket.create_server(("127.0.0.1", 0)) as ears:
        ears.setblocking(False)
        yield ears


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        [PUBLIC, "10.0.0.1"],  # one bad address among good ones is enough
        ["64:ff9b::7f00:1"],
        [],
    ],
)
async def test_a_name_that_leads_to_a_private_address_is_not_dialled(
    hub: InferenceStandIn, listener: socket.socket, addresses: list[str]
) -> None:
    hub.addresses[ROUTER] = [addresses]
    async with client(hub) as models:
        with pytest.raises(AddressRefused, match="not of the open internet"):
            await heard(models, hub.url("flac"))
    assert hub.dialled == []
    with pytest.raises(BlockingIOError):
        listener.accept()


async def test_a_name_that_changes_its_mind_is_looked_up_once(hub: InferenceStandIn) -> None:
    """The second look-up would lead to this machine; there is none: what was checked is what is dialled."""
    hub.addresses[ROUTER] = [[PUBLIC], ["127.0.0.1"]]
    async with client(hub) as models:
        assert await heard(models, hub.url("flac")) == hub.flac
    assert (hub.looked_up, hub.dialled) == ([ROUTER], [PUBLIC])
    async with client(hub) as models:  # a new connection looks up again, and is refused
        with pytest.raises(AddressRefused):
            await heard(models, hub.url("flac"))
    assert hub.dialled == [PUBLIC]


async def test_a_certificate_of_another_name_is_refused(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        with pytest.raises(HostedModelFailed, match="cannot be reached"):
            await heard(models, "https://other.endpoints.huggingface.cloud/flac")
    assert hub.asked == []


async def test_a_name_that_cannot_be_looked_up(hub: InferenceStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(hub, "resolve", fails)
    async with client(hub) as models:
        with pytest.raises(HostedModelFailed, match="cannot be looked up"):
            await heard(models, hub.url("flac"))


# -- secrets


async def test_the_token_appears_nowhere(hub: InferenceStandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with client(hub) as models:
        await heard(models, hub.url("flac"))
        for behaviour in ("echo", "busy", "metadata"):
            with pytest.raises(HostedModelFailed) as failed:
                await heard(models, hub.url(behaviour))
            assert TOKEN not in str(failed.value)
    ours = [record for record in caplog.records if record.name.startswith("vivavoce")]
    assert len(ours) == 4
    assert TOKEN not in "".join(repr(vars(record)) for record in caplog.records)


async def test_cookies_are_not_kept(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        assert await heard(models, hub.url("cookie")) == b"none"
        assert await heard(models, hub.url("cookie")) == b"none"


# -- limits


async def test_an_answer_without_end_has_one(hub: InferenceStandIn) -> None:
    async with client(hub, max_bytes=1 << 20) as models:
        with pytest.raises(HostedModelFailed, match="larger than 1 MiB"):
            await heard(models, hub.url("endless"))
    await until(lambda: hub.hung_up_s is not None)
    assert hub.sent < 32 << 20


async def test_an_answer_over_the_limit_is_cut_off(hub: InferenceStandIn) -> None:
    async with client(hub, max_bytes=25 << 20) as models:
        with pytest.raises(HostedModelFailed, match="larger than 25 MiB"):
            await heard(models, hub.url("music-30"))
        assert len(await heard(models, hub.url("music-25"))) > 25_000_000


async def test_a_slow_first_byte_has_a_deadline(hub: InferenceStandIn) -> None:
    async with client(hub, begin_s=0.2) as models:
        with pytest.raises(HostedModelTimeout, match="did not answer in time"):
            await heard(models, hub.url("slow"))
    hub.released.set()


async def test_an_answer_that_stops_has_a_deadline(hub: InferenceStandIn) -> None:
    async with client(hub, whole_s=0.3) as models:
        with pytest.raises(HostedModelTimeout, match="stopped in the middle"):
            await heard(models, hub.url("held"))


async def test_leaving_hangs_up(hub: InferenceStandIn) -> None:
    async with client(hub) as models:
        async with models.sound(models.target(hub.url("endless")), TOKEN, "hello") as sound:
            await anext(sound)
        await until(lambda: hub.hung_up_s is not None)  # set in mid-answer only


# -- Hugging Face's own client


async def test_hugging_faces_own_client_gets_the_same_bytes(hub: InferenceStandIn) -> None:
    theirs = huggingface_hub.InferenceClient(token=TOKEN)
    speech = await asyncio.to_thread(theirs.text_to_speech, HOSTILE, model=hub.plain_url("flac"))
    words = await asyncio.to_thread(theirs.automatic_speech_recognition, b"RIFF", model=hub.plain_url("transcript"))
    caption = await asyncio.to_thread(theirs.image_to_text, b"\x89PNG", model=hub.plain_url("caption-list"))
    asked, hub.asked = hub.asked, []
    async with client(hub) as models:
        assert await heard(models, hub.url("flac"), HOSTILE) == speech
        found = await models.transcript(models.target(hub.url("transcript")), TOKEN, b"RIFF", "audio/wav")
        assert found["text"] == words.text
        answer = await models.caption(models.target(hub.url("caption-list")), TOKEN, b"\x89PNG", "image/png")
        assert answer[0]["generated_text"] == caption.generated_text
    for theirs_asked, ours in zip(asked, hub.asked, strict=True):
        assert theirs_asked.token == ours.token == TOKEN
        assert theirs_asked.body == ours.body or theirs_asked.json["inputs"] == ours.json["inputs"]


async def until(condition: object, timeout_s: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # of a thread of the stand-in
            await asyncio.sleep(0.005)
