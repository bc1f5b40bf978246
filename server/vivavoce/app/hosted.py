"""Settings become the client of models on other machines. Called by `server.py` and by `vivavoce hosted`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor

from vivavoce.app.listener import open_shelf
from vivavoce.config import Config, HostedSettings
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.errors import ConfigError
from vivavoce.hosted.asking import HostedLimits
from vivavoce.hosted.dialing import PinnedTransport, PublicNetwork, plain_transport
from vivavoce.hosted.ears import declared_ears
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.listener import HostedListener
from vivavoce.hosted.pictures import PictureReader
from vivavoce.hosted.speaker import HostedSpeaker
from vivavoce.hosted.voices import declared_voices
from vivavoce.metrics import Metrics
from vivavoce.models.catalogue import KnownModel, means_default
from vivavoce.progress import Progress
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.recognition.listeners import Listeners
from vivavoce.routes.hosted import HostedServices
from vivavoce.routes.launchables import Fetch, KnownElsewhere, LaunchableRecognizers, LaunchableVoices
from vivavoce.routes.launched import LaunchedModels
from vivavoce.synthesis.speaker import VoiceKeeper

SHARE = 4  # one owner may have a quarter of the calls


def open_transport() -> PinnedTransport:
    """The way to the open internet, and to nowhere else."""
    return PinnedTransport(PublicNetwork())


def open_models(settings: HostedSettings, tokens: Mapping[str, str] | None = None) -> HostedModels:
    """The client that the settings describe.

    Args:
        tokens: host -> token, besides those of the settings.

    Raises:
        ConfigError: If a host or a token is written wrongly.
    """
    try:
        return HostedModels(
            open_transport(),
            hosts=settings.hosted_hosts,
            tokens={**(tokens or {}), **_tokens(settings.hosted_tokens)},
            limits=_limits(settings),
        )
    except ValueError as error:
        raise ConfigError(f"hosted_hosts: {error}") from None


def build_hosted(
    config: Config,
    synthesizer: VoiceKeeper,
    transcriber: ModelKeeper,
    ears: Ears | None,
    decoding: DecodingService,
    draining: Draining,
    encoding: Executor,
    metrics: Metrics,
) -> HostedServices:
    """What the routes of `/v1/hosted` work with.

    Args:
        ears: of this machine, for models elsewhere; None where it has none.

    Raises:
        ConfigError: If a setting is written wrongly.
    """
    calls = config.hosted.hosted_max_calls
    elsewhere = _open_ears(config, ears, draining)
    listener: ModelKeeper = transcriber
    if elsewhere is not None:
        named = config.listening.recognizer
        default = named if named in {info.id for info in elsewhere.models()} else None
        listener = Listeners(transcriber, elsewhere, means_default=means_default, default=default)
    return HostedServices(
        models=open_models(config.hosted) if config.hosted.hosted else None,
        places=Places("calls of models elsewhere", calls, waiting=0, per_owner=max(1, calls // SHARE)),
        pictures=PictureReader(),
        decoding=decoding,
        draining=draining,
        launched=LaunchedModels(
            (
                LaunchableVoices(synthesizer),
                LaunchableRecognizers(listener),
                KnownElsewhere(listener, _fetching(config)),
            )
        ),
        synthesizer=synthesizer,
        listener=listener,
        ears=elsewhere,
        voices=_open_voices(config, decoding, draining, metrics),
        encoding=encoding,
        metrics=metrics,
        limits=config.limits,
        live=config.live,
    )


def _fetching(config: Config) -> Fetch | None:
    """Brings a known model, where `pull_on_launch` allows it."""
    if not config.listening.pull_on_launch:
        return None
    shelf = open_shelf(config)

    def fetch(model: KnownModel, progress: Progress) -> None:
        from vivavoce.models.pull import pull  # and with it the hub's client, which a server seldom needs

        pull(model, shelf, progress, as_it_is=True)

    return fetch


def _open_voices(
    config: Config, decoding: DecodingService, draining: Draining, metrics: Metrics
) -> HostedSpeaker | None:
    """The voices of `hosted_voices`: their addresses are the operator's own, so they may be private."""
    settings = config.hosted
    if not settings.hosted_voices:
        return None
    try:
        voices = declared_voices(settings.hosted_voices, _tokens(settings.hosted_tokens), problem=_problem(settings))
    except ValueError as error:
        raise ConfigError(f"hosted_voices: {error}") from None
    calls = settings.hosted_max_calls
    return HostedSpeaker(
        voices,
        HostedModels(plain_transport(), limits=_limits(settings)),
        decoding,
        Places("utterances of hosted voices", calls, waiting=0, per_owner=max(1, calls // SHARE)),
        draining,
        metrics,
        max_text=config.limits.max_text,
        max_buffered_text=config.live.max_buffered_text,
    )


def _open_ears(config: Config, ears: Ears | None, draining: Draining) -> HostedListener | None:
    """The models of `hosted_ears`; likewise."""
    settings = config.hosted
    if not settings.hosted_ears:
        return None
    if ears is None:
        raise ConfigError("hosted_ears: this server has no ears of its own to find speech with")
    try:
        declared = declared_ears(settings.hosted_ears, _tokens(settings.hosted_tokens), problem=_problem(settings))
    except ValueError as error:
        raise ConfigError(f"hosted_ears: {error}") from None
    calls = settings.hosted_max_calls
    places = Places("speakers heard elsewhere", calls, waiting=0, per_owner=max(1, calls // SHARE))
    return HostedListener(declared, HostedModels(plain_transport(), limits=_limits(settings)), ears, places, draining)


def _problem(settings: HostedSettings) -> str | None:
    return None if settings.hosted else "models on other machines are switched off; set hosted = true"


def _limits(settings: HostedSettings) -> HostedLimits:
    return HostedLimits(
        begin_s=settings.hosted_begin_s, whole_s=settings.hosted_whole_s, max_bytes=settings.hosted_max_mib << 20
    )


def _tokens(entries: tuple[str, ...]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in entries]
    if not all(host and token for host, _, token in pairs):
        raise ConfigError("hosted_tokens: write HOST=TOKEN")  # and never what was written instead
    return {host.strip().casefold(): token.strip() for host, _, token in pairs}
