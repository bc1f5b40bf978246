"""One WebRTC call as a carrier: a track that speaks, a data channel that talks about it, perhaps a microphone.

Answers an offer, waits for the data channel, then carries a live session until either side hangs up, the connection
fails, or nothing happens for too long. Made by `calls.py`; what messages mean is the session's.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Executor

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from vivavoce.serving.parts import until_first_ends
from vivavoce.speaking.sink import Carrier, SoundFormat, Teller
from vivavoce.transports.carried import Carry, Patience, hand_over
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc.ice import IceServer
from vivavoce.transports.webrtc.microphone import Microphone
from vivavoce.transports.webrtc.offer import InvalidOffer
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.speech_track import SpeechTrack
from vivavoce.transports.webrtc.track_sink import TrackSink

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 15.0  # from the answer to an open data channel
ANSWER_TIMEOUT_S = 10.0  # gathering addresses asks STUN and TURN servers
CLOSE_TIMEOUT_S = 5.0
MAX_BUFFERED_BYTES = 64 * 1024  # of messages not yet sent on the data channel


class Call:
    """One WebRTC call: a peer connection, its track, its data channel and its session.

    Args:
        id: names it in its URL; not to be guessed.
        owner: whose it is; nobody else may hang it up.
        carry: makes the session.
        channel: label of the data channel that carries its messages.
        encoding: threads for Opus.
    """

    def __init__(
        self,
        id: str,
        owner: str,
        carry: Carry,
        ice_servers: Sequence[IceServer],
        encoding: Executor,
        patience: Patience,
        *,
        channel: str,
    ) -> None:
        self.id = id
        self.owner = owner
        self._patience = patience
        self._track = SpeechTrack(encoding, patience.ahead_s)
        self._carried = carry(Carrier("webrtc", self._open_sink, sample_rate=SAMPLE_RATE))
        self._microphone = Microphone(self._carried.hear)
        self._channel_label = channel
        self._channel: RTCDataChannel | None = None
        self._opened = asyncio.Event()
        self._ended = asyncio.Event()
        self._room = asyncio.Event()  # the data channel can take more
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[server.for_aiortc() for server in ice_servers]))
        self._peer.on("datachannel", self.on_channel)
        self._peer.on("track", self._on_track)
        self._peer.on("connectionstatechange", self._on_state)

    async def answer(self, offer: str) -> str:
        """Take the offer, return the SDP answer with every address gathered.

        Raises:
            InvalidOffer: If it cannot be answered.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                self._speak_on_the_first_audio()
                await self._peer.setLocalDescription(await self._peer.createAnswer())
        except InvalidOffer:
            raise
        except Exception as error:  # aiortc raises whatever its parser trips over
            logger.info("an offer could not be answered: %s", type(error).__name__)
            raise InvalidOffer("the offer cannot be answered") from None
        return self._peer.localDescription.sdp

    async def run(self, connections: Connections) -> None:
        """Serve the call until it ends, then leave nothing of it behind."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._opened.wait()
            if self._channel is None:  # hung up, or failed, before it began
                return
            self._track.sound.ran_dry = connections.ran_dry
            with connections.hold(self._carried, "webrtc", self.owner):
                await until_first_ends(self._watch(), self.send_messages(), self._carried.run(), self._microphone.run())
        except TimeoutError:
            logger.info("%s: the call was not taken up", self.id)
        finally:
            await self.close()

    def hang_up(self) -> None:
        """End it, whatever it is doing."""
        self._opened.set()
        self._ended.set()

    async def close(self) -> None:
        """Let go of the peer connection; any number of times."""
        self._track.stop()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._peer.close()
        except TimeoutError:
            logger.warning("%s: the peer connection did not close in time", self.id)

    # -- the parts of a running call -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Until the call has ended; one on which nothing happens is closed meanwhile."""
        idle_s = self._patience.idle_s
        while not self._ended.is_set():
            left_s = self._carried.active_s + idle_s - time.monotonic()
            if left_s <= 0 and self._carried.closing is None:
                self._carried.close(1001, "idle_timeout")
            try:
                await asyncio.wait_for(self._ended.wait(), left_s if left_s > 0 else idle_s)
            except TimeoutError:
                continue

    async def send_messages(self) -> None:
        """Send what is due on the data channel until the session closes or the client no longer takes it."""
        channel = self._channel
        assert channel is not None
        try:
            while messages := await self._carried.next_messages():
                for message in messages:
                    if channel.readyState != "open":
                        return
                    channel.send(message)
                    await self._wait_below(channel, MAX_BUFFERED_BYTES)
            await self._wait_below(channel, 1)
        except TimeoutError:
            logger.info("%s: the client takes no messages", self.id)

    async def _wait_below(self, channel: RTCDataChannel, limit: int) -> None:
        channel.bufferedAmountLowThreshold = limit - 1
        async with asyncio.timeout(self._patience.stall_s):
            while channel.bufferedAmount >= limit and channel.readyState == "open":
                self._room.clear()
                await self._room.wait()

    # -- what aiortc tells -----------------------------------------------------------------------------------------

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The client opened a data channel: the first one of the right label carries the messages."""
        if channel.label != self._channel_label or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", functools.partial(hand_over, self._carried))
        channel.on("bufferedamountlow", self._room.set)
        channel.on("close", self._on_close)
        self._opened.set()

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._carried.hears:
            receivers = [each.receiver for each in self._peer.getTransceivers() if each.receiver.track is track]
            self._microphone.plug_in(track, receivers[0] if receivers else None)

    def _on_close(self) -> None:
        self._room.set()
        self.hang_up()

    def _on_state(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._on_close()

    # -- sound -----------------------------------------------------------------------------------------------------

    def _speak_on_the_first_audio(self) -> None:
        """Put the track on the offer's first audio section that listens, with Opus; everything else stays unused."""
        capabilities = RTCRtpReceiver.getCapabilities("audio")
        opus = [codec for codec in capabilities.codecs if codec.mimeType == "audio/opus"] if capabilities else []
        speaking = False
        for transceiver in self._peer.getTransceivers():
            # aiortc keeps the offer's direction as seen from this side
            listens = transceiver._offerDirection in ("sendonly", "sendrecv")
            if transceiver.kind == "audio" and listens and not speaking:
                transceiver.setCodecPreferences(opus)
                transceiver.sender.replaceTrack(self._track)
                speaks = transceiver._offerDirection == "sendrecv" and self._carried.hears
                transceiver.direction = "sendrecv" if speaks else "sendonly"
                speaking = True
            else:
                transceiver.direction = "inactive"
        if not speaking:
            raise InvalidOffer("the offer has no audio section that listens")

    def _open_sink(self, teller: Teller, format: SoundFormat) -> TrackSink:
        assert format.sample_rate == SAMPLE_RATE
        return TrackSink(teller, self._track.sound)
