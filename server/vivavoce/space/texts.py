"""The small files of a Space, as text: Dockerfile, requirements, README with its front matter, and what git and people
need. The long ones are templates beside this module, with `$name` where something is filled in. Pure but for reading
them; called by `folder.py`.
"""

from __future__ import annotations

import json
from importlib.resources import files as package_files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from vivavoce import __version__

if TYPE_CHECKING:
    from vivavoce.space.folder import SpaceFiles

MARK = "Dockerfile"  # a folder that holds one was written by us, or can be replaced like one that was

# Files of these kinds are kept by Git LFS, as the hub wants of everything that is no text.
LARGE = ("*.bin", "*.onnx", "*.wav", "*.npz", "*.pickle", "*.whl", "*.tar.gz", "GenieData/G2P/**/*.txt",
         "GenieData/G2P/**/*.rep")  # fmt: skip

EXAMPLES = {
    "en": "Hello! You hear me while the rest of the sentence is still being computed.",
    "ja": "こんにちは！続きを計算しながら、もう話し始めています。",
    "ko": "안녕하세요! 나머지를 계산하는 동안 벌써 말하고 있어요.",
    "zh": "你好！后面的话还在计算，你已经听到我的声音了。",
}


def all_of(files: SpaceFiles) -> dict[str, str]:
    """Name -> content of every small file."""
    return {
        "README.md": readme(files),
        "Dockerfile": dockerfile(files),
        "requirements.txt": requirements(files),
        ".gitattributes": "".join(f"{kind} filter=lfs diff=lfs merge=lfs -text\n" for kind in LARGE),
        ".env.example": _template("env.example").substitute(default=files.default),
        ".dockerignore": ".git\n.env\n",
        "models/README.md": _template("models.md").substitute(),
    }


def requirements(files: SpaceFiles) -> str:
    """What pip installs: this version of the server, with what its voices need."""
    extras = "[genie,korean]" if files.packs else ""
    if isinstance(files.requirement, Path):
        return f"./wheels/{files.requirement.name}{extras}\n"
    return (files.requirement or f"vivavoce{extras}=={__version__}") + "\n"


def dockerfile(files: SpaceFiles) -> str:
    """One stage, as the hub builds it: user 1000, everything of the server's below that user's home."""
    steps = []
    if files.pull_data:
        steps.append("# What all voices share; left out of the folder.\nRUN vivavoce voices pull geniedata\n")
    if files.packs:
        steps.append(
            "# Half a minute a voice, once: a Space that wakes up speaks in seconds. What cannot be prepared is told\n"
            "# at the start, and the others speak.\n"
            "RUN vivavoce voices prepare || true\n"
        )
    return _template("Dockerfile").substitute(
        default=files.default,
        wheels="COPY --chown=1000 wheels wheels\n" if isinstance(files.requirement, Path) else "",
        genie_data="" if files.pull_data or not files.data else " \\\n    GENIE_DATA_DIR=/home/user/app/GenieData",
        steps="".join(f"\n{step}" for step in steps),
    )


def readme(files: SpaceFiles) -> str:
    """Front matter for the hub, then the page, in English and in Chinese."""
    languages = {pack.id: pack.language for pack in files.packs}
    example = EXAMPLES[languages.get(files.default, "en")]
    return _template("README.md").substitute(
        title=json.dumps(files.title, ensure_ascii=False),
        heading=files.title,
        license=files.license,
        default=files.default,
        voices=", ".join(f"`{voice}`" for voice in files.voices),
        input=json.dumps(example, ensure_ascii=False),
        version=__version__,
    )


def _template(name: str) -> Template:
    return Template((package_files("vivavoce.space") / "template" / name).read_text(encoding="utf-8"))
