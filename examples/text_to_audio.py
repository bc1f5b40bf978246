"""A text becomes sound by a model elsewhere, or by a voice of the server: the form of the services it stands in for.

    python examples/text_to_audio.py "rain on a tin roof" rain.ogg
    HF_TOKEN=hf_... python examples/text_to_audio.py "liquid drum and bass" beat.ogg facebook/musicgen-small

Without a model's name the server's own voice speaks, offline. With one, the server needs `hosted = true`. Standard
library only. VIVAVOCE_URL names another server than http://127.0.0.1:7860, VIVAVOCE_KEY a key for it.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

ROUTER = "https://router.huggingface.co/hf-inference/models/"


def main(text: str, path: str, model: str | None = None) -> None:
    description = {"api_url": "local:default"}
    if model is not None:
        description = {"api_url": ROUTER + model, "api_token": os.environ["HF_TOKEN"]}
    url = os.environ.get("VIVAVOCE_URL", "http://127.0.0.1:7860") + "/v1/hosted/text-to-audio"
    request = urllib.request.Request(url, json.dumps({**description, "input_text": text}).encode())
    request.add_header("content-type", "application/json")
    if key := os.environ.get("VIVAVOCE_KEY"):
        request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=180) as answer, open(path, "wb") as file:
            while part := answer.read1(65536):
                file.write(part)
                print(f"\r{file.tell()} bytes", end="", file=sys.stderr, flush=True)
    except urllib.error.HTTPError as error:
        sys.exit(json.load(error)["error"]["message"])
    print(f"\r{path} is written", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
