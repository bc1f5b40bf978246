"""Mistakes put into the security and lifetime modules, one at a time; the tests named beside each have to notice.

    python tests/mutants.py                 all of them (about ten seconds each)
    python tests/mutants.py --only fuzz     those whose name holds a word
    python tests/mutants.py --list          names, and the survivors that are accepted
    python tests/mutants.py --rows          which test holds which rule, as a table

A mutant is a replacement in a copy of the source; nothing here is changed. It survives where the tests pass all the
same: then a rule stands in the code and nowhere else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mended_faults import MENDED, ROWS
from mutant import Mutant

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 240
PASSED, FAILED = 0, 1  # as pytest ends; anything else says nothing of the mutant
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis")


BOUNDS = "tests/serving/test_bounds_hold.py"
FUZZ = "tests/serving/test_wire_fuzz.py"
ACCESS = "tests/serving/test_access.py"
HTTP = "tests/serving/test_http_protocol.py"
CUTS = "tests/voices/test_power_cuts.py"

HERE = (
    # -- who comes in
    Mutant(
        "routes want no key",
        "serving/entries.py",
        "_MARK, Entry.KEY)",
        "_MARK, Entry.NOTHING)",
        "tests/serving/test_entries.py",
        "H1",
    ),
    Mutant(
        "a token opens everything",
        "serving/credentials.py",
        "return entry in (Entry.LIVE, Entry.REALTIME, Entry.ON_THE_WAY)",
        "return True",
        ACCESS,
        "H1",
    ),
    Mutant(
        "a token is not used up",
        "serving/credentials.py",
        "and entry is not Entry.ON_THE_WAY",
        "and False",
        ACCESS,
        "H1",
    ),
    Mutant(
        "a proxy's own password hides the key",
        "serving/credentials.py",
        'next(filter(None, map(_credential, places)), None) or _basic(headers.get("authorization", ""))',
        '_basic(headers.get("authorization", "")) or next(filter(None, map(_credential, places)), None)',
        "tests/serving/test_credentials.py",
    ),
    Mutant(
        "a key in the address is refused without a word",
        "serving/gate.py",
        'is_in_address(scope.get("query_string", b""))',
        "False",
        "tests/serving/test_addresses.py",
    ),
    Mutant(
        "a deployment is taken before the body's model",
        "routes/speech_answers.py",
        'if not fields.get("model") and (deployment',
        "if (deployment",
        "tests/serving/test_addresses.py",
    ),
    Mutant(
        "a recording is taken for a text",
        "routes/inline_audio.py",
        "if len(plain) < 24 or _ALPHABET.fullmatch(plain) is None:",
        "if len(plain) < 24:",
        "tests/routes/test_inline_audio.py",
    ),
    Mutant(
        "ice without a key",
        "routes/calls.py",
        "@entered_with(Entry.ON_THE_WAY)",
        "@entered_with(Entry.NOTHING)",
        "tests/serving/test_entries.py",
    ),
    Mutant(
        "WebSockets want no key",
        "routes/live.py",
        "@entered_with(Entry.LIVE)\n    async def stream",
        "@entered_with(Entry.NOTHING)\n    async def stream",
        ACCESS,
    ),
    Mutant(
        "anybody deletes a clone",
        "routes/voices.py",
        "if made_by != owner:",
        "if False:",
        "tests/routes/test_voices.py -k deletes",
        "H4",
    ),
    Mutant(
        "anybody hangs up",
        "transports/webrtc/calls.py",
        "if call is None or call.owner != owner:",
        "if call is None:",
        BOUNDS,
    ),
    Mutant(
        "Host is not looked at beyond loopback",
        "serving/access.py",
        "return name in LOOPBACK_NAMES or _is_address(name)",
        "return True",
        ACCESS,
        "M10",
    ),
    Mutant(
        "an empty file of keys opens the door",
        "serving/access.py",
        "    if not digests:\n        raise ConfigError(f",
        "    if False:\n        raise ConfigError(f",
        ACCESS,
        "M2",
    ),
    Mutant(
        "an empty variable opens the door", "settings.py", "if key in KEYS and not value:", "if False:", ACCESS, "M2"
    ),
    Mutant(
        "a misspelt variable is passed over",
        "settings.py",
        "        if name not in names:\n",
        "        if name not in names:\n            continue\n        if False:\n",
        ACCESS,
        "M2",
    ),
    Mutant(
        "an odd origin raises",
        "serving/access.py",
        "        return urlsplit(origin).netloc.casefold()\n    except ValueError:",
        "        return urlsplit(origin).netloc.casefold()\n    except KeyError:",
        ACCESS,
        "M8",
    ),
    Mutant(
        "one owner takes all", "serving/shares.py", "if self._held[owner] >= self._of_one:", "if False:", ACCESS, "M7"
    ),
    Mutant(
        "one owner throws out others' tokens",
        "serving/tokens.py",
        "self._forget_oldest(owners.most_common(1)[0][0])",
        "del self._issued[next(iter(self._issued))]",
        ACCESS,
    ),
    # -- connections
    Mutant(
        "the headers' timer is never stopped",
        "serving/http_protocol.py",
        "        self._request_complete = True\n        self._stop_waiting()",
        "        self._request_complete = True",
        HTTP,
        "H3",
    ),
    Mutant(
        "no timer on a kept connection",
        "serving/http_protocol.py",
        "        if self._timer is None and not self._in_head and self.waits_for_client:\n",
        "        if False:\n",
        HTTP,
        "R8",
    ),
    Mutant(
        "no timer for handshakes",
        "serving/websocket_protocol.py",
        "        if not self.handshake_complete:\n            self.transport.abort()",
        "        pass",
        BOUNDS,
    ),
    Mutant(
        "headers are not counted",
        "serving/http_protocol.py",
        "if self._head_bytes > MAX_HEADER_BYTES:",
        "if False:",
        HTTP,
        "C4",
    ),
    Mutant(
        "trailers are headers",
        "serving/http_protocol.py",
        "        if not self._in_head:  # a trailer: it may say nothing that a header did not\n",
        "        if False:\n",
        HTTP,
        "L",
    ),
    Mutant(
        "frames cost nothing",
        "serving/websocket_protocol.py",
        "return self._budget.spend(",
        "return 0 * self._budget.spend(",
        "tests/serving/test_websocket_protocol.py",
        "H2",
    ),
    Mutant(
        "frames before the handshake raise",
        "serving/websocket_protocol.py",
        "or waits_for_answer or",
        "or",
        "tests/serving/test_websocket_protocol.py",
        "R6",
    ),
    Mutant(
        "no time limit on forms",
        "routes/forms.py",
        "async with asyncio.timeout(timeout_s):",
        "async with asyncio.timeout(None):",
        BOUNDS,
        "R8",
    ),
    Mutant(
        "offers are not counted while they come",
        "transports/webrtc/calls.py",
        "        self._shares.take(owner)\n",
        "        pass\n",
        BOUNDS,
    ),
    Mutant(
        "a silent client is never aborted",
        "serving/websocket_protocol.py",
        "        self.loop.call_later(GRACE_S, self.transport.abort)",
        "        pass",
        BOUNDS,
    ),
    Mutant(
        "deflate on",
        "serving/uvicorn_server.py",
        '"ws_per_message_deflate": False',
        '"ws_per_message_deflate": True',
        BOUNDS,
    ),
    Mutant("pings off", "serving/uvicorn_server.py", '"ws_ping_interval": 20.0', '"ws_ping_interval": None', BOUNDS),
    Mutant(
        "private candidates are let in",
        "transports/webrtc/offer.py",
        "return allow_private or _is_public(address)",
        "return True",
        FUZZ,
        "R27",
    ),
    Mutant(
        "addresses inside addresses are let in",
        "transports/webrtc/offer.py",
        "        if address not in _UNICAST:\n            return False\n",
        "",
        "tests/transports/webrtc/test_offer.py",
        "L",
    ),
    Mutant(
        "candidates are not counted",
        "transports/webrtc/offer.py",
        "len(candidates) >= MAX_CANDIDATES or ",
        "",
        "tests/transports/webrtc/test_offer.py",
        "R27",
    ),
    Mutant(
        "a data channel without back-pressure",
        "transports/webrtc/call.py",
        "                    await self._wait_below(channel, MAX_BUFFERED_BYTES)\n",
        "",
        BOUNDS,
    ),
    Mutant(
        "one message read every 0.3 s",
        "transports/websocket.py",
        "            hand_over(self._carried",
        "            await asyncio.sleep(0.3)\n            hand_over(self._carried",
        BOUNDS,
    ),
    Mutant(
        "a failing session is lost without an end",
        "transports/carried.py",
        "    except Exception:",
        "    except KeyError:",
        "tests/conformance/test_carriers.py -k fails_at",
    ),
    Mutant(
        "numbers are not looked at",
        "protocols/fields.py",
        "if plain_number and self._holds(cast(float, value)):",
        "if plain_number:",
        FUZZ,
        "M3",
    ),
    Mutant(
        "JSON is as deep as it likes",
        "protocols/bounded_json.py",
        '    raise _invalid(f"the {noun} is nested deeper than {max_depth} levels")',
        "    return",
        "tests/protocols/test_bounded_json.py",
        "R5",
    ),
    # -- what is told
    Mutant(
        "an offer in the log",
        "transports/webrtc/calls.py",
        "        self._connections.check(owner)\n",
        '        self._connections.check(owner)\n        logger.info("offer %s", text)\n',
        BOUNDS,
        "R28",
    ),
    Mutant(
        "a wrong key in the log",
        "serving/access.py",
        '            self._metrics.auth_failures.labels("key").inc()\n',
        '            self._metrics.auth_failures.labels("key").inc()\n            __import__("logging").getLogger("vivavoce").info("%s", credential.value)\n',
        BOUNDS,
        "R28",
    ),
    Mutant(
        "what is said in the log",
        "speaking/live_session.py",
        "        self.active_s = self._now()\n        try:\n",
        '        self.active_s = self._now()\n        logger.debug("said %s", data)\n        try:\n',
        BOUNDS,
        "R28",
    ),
    Mutant(
        "a metric for each path",
        "serving/gate.py",
        'self._metrics.requests.labels("gate", "refused", error.code)',
        'self._metrics.requests.labels(scope["path"], "refused", error.code)',
        BOUNDS,
    ),
    # -- what is read
    Mutant(
        "the decoder guesses the container",
        "audio/ffmpeg_reader.py",
        "            format=container.name,\n",
        "",
        "tests/audio/test_decoders.py tests/decoding/test_fuzz.py",
        "C1",
    ),
    Mutant(
        "decoders without a limit on memory",
        "decoding/child.py",
        "    _limit(resource.RLIMIT_AS, pages",
        "    (resource.RLIMIT_AS, pages",
        "tests/decoding/test_service.py",
        "C1",
    ),
    Mutant(
        "decoders without an end to their number",
        "decoding/places.py",
        "if self._owned[owner] >= self._per_owner:",
        "if False:",
        "tests/decoding/test_places.py tests/decoding/test_service.py",
    ),
    Mutant(
        "a file of true length has no limit",
        "audio/spool.py",
        "if self._file.tell() + len(data) > self._most_bytes:",
        "if False:",
        "tests/audio/test_spool.py",
        "M1",
    ),
    # -- what is kept on disk
    Mutant(
        "a pack is copied into place",
        "voices/placing.py",
        "            os.rename(built, target)\n        except OSError as error:\n",
        "            shutil.copytree(built, target)\n        except OSError as error:\n",
        CUTS,
        "H5",
    ),
    Mutant(
        "the old voice goes before the new one stands",
        "voices/placing.py",
        "    if exchange_at_once(built, target):\n        return\n",
        "    shutil.rmtree(target)\n    os.rename(built, target)\n    return\n",
        CUTS,
        "H5",
    ),
    Mutant(
        "what died half done stays",
        "voices/placing.py",
        "                shutil.rmtree(folder, ignore_errors=True)\n\n\ndef _put_back",
        "                pass\n\n\ndef _put_back",
        CUTS,
        "L",
    ),
    Mutant(
        "nothing is flushed", "voices/placing.py", "    flush(built)\n    if overwrite", "    if overwrite", CUTS, "H5"
    ),
    Mutant(
        "a full disk is not looked at",
        "voices/install.py",
        "if not move and shutil.disk_usage(target).free < total + total // 64:",
        "if False:",
        "tests/voices/test_install.py",
    ),
    # -- lifetime
    Mutant(
        "calls stay open at the drain",
        "app/server.py",
        "        await self.connections.close_all()\n        await self.calls.aclose()\n",
        "",
        "tests/transports/webrtc/test_calls.py -k shutdown",
        "R20",
    ),
    Mutant(
        "no deadline on the way out",
        "serving/uvicorn_server.py",
        "        timer.start()\n",
        "",
        "tests/serving/test_way_out.py",
        "H8",
    ),
    Mutant(
        "a second signal is ignored",
        "serving/uvicorn_server.py",
        "is_second = self._signals > 1",
        "is_second = False",
        "tests/serving/test_way_out.py",
        "H8",
    ),
    Mutant(
        "underruns do not shrink the share",
        "machine/admission.py",
        "            self.share = max(SHARE_MIN, self.share * SHRINK)\n",
        "",
        "tests/machine/test_admission.py",
        "R19",
    ),
    Mutant(
        "the queue is not fair",
        "machine/admission_queue.py",
        "return numbers[order[0]] == number and",
        "return numbers[0] == number and",
        "tests/machine/test_admission_queue.py",
    ),
)

MUTANTS = (*HERE, *MENDED)

# Names of mutants that no test has to notice, and why.
ACCEPTED: dict[str, str] = {}


def survives(mutant: Mutant, folder: Path) -> bool:
    """Whether the tests pass with the mistake in it."""
    path = folder / "server" / "vivavoce" / mutant.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: what it replaces occurs {whole.count(mutant.old)} times in {mutant.file}")
    path.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return _pass(mutant.tests, folder)
    finally:
        path.write_text(whole, encoding="utf-8")


def _pass(tests: str, folder: Path) -> bool:
    words, _, chosen = tests.partition(" -k ")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *words.split()]
    command += ["-k", chosen] if chosen else []
    environment = {**os.environ, "PYTHONPATH": str(folder / "server"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (PASSED, FAILED):
        raise SystemExit(
            f"{tests}: no test decided (pytest ended with {done.returncode})\n{done.stdout.decode()[-2000:]}"
        )
    return done.returncode == PASSED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="those whose name or tests hold this")
    parser.add_argument("--skip", type=int, default=0, help="so many of them")
    parser.add_argument("--list", action="store_true", help="names alone")
    parser.add_argument("--rows", action="store_true", help="rules, the faults against them, and their tests")
    args = parser.parse_args()
    if args.rows:
        print("| row | rule | fault put back | test |\n|---|---|---|---|")
        for mutant in sorted(MUTANTS, key=lambda each: [*ROWS].index(each.row) if each.row else len(ROWS)):
            print(f"| {mutant.row} | {ROWS.get(mutant.row, '')} | {mutant.name} | `{mutant.tests}` |")
        return 0
    chosen = [mutant for mutant in MUTANTS if args.only in f"{mutant.name} {mutant.tests}"]
    if args.list:
        for mutant in chosen:
            print(f"{mutant.name:50} {mutant.file:36} {ACCEPTED.get(mutant.name, mutant.tests)}")
        return 0
    found = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        folder = Path(temporary)
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True, dirs_exist_ok=True)
        for mutant in chosen[args.skip :]:
            alive = survives(mutant, folder)
            found += [mutant.name] if alive and mutant.name not in ACCEPTED else []
            print(f"{'SURVIVES' if alive else 'noticed':9} {mutant.name}", flush=True)
    print(f"{len(chosen) - len(found)} of {len(chosen)} noticed or accepted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
