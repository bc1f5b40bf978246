"""The house: how long a module may be, and that the trees drawn in the documents are the folders there are."""

from __future__ import annotations

import re
from pathlib import Path

import vivavoce

ROOT = Path(vivavoce.__file__).parent
REPOSITORY = Path(__file__).parent.parent

LONGEST = 350  # lines
LONGEST_IN = {"routes": 250, "transports": 250}  # one contract or carrier in a file: two would be two ideas


def longest(path: Path) -> int:
    """Lines that a module of the package may have."""
    return LONGEST_IN.get(path.parts[0], LONGEST)


def test_no_module_is_longer_than_one_idea() -> None:
    lines = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    too_long = [f"{path}: {count} of {longest(path)}" for path, count in lines.items() if count > longest(path)]
    assert not too_long


def test_no_module_of_the_browsers_side_is_either() -> None:
    folders = (REPOSITORY / "client_js" / "src", ROOT / "web" / "page")
    lines = {path.name: len(path.read_text().splitlines()) for folder in folders for path in folder.rglob("*.js")}
    too_long = {name: count for name, count in lines.items() if count > LONGEST}
    assert set(too_long) <= {"playback_buffer.js"}, too_long  # its few lines more are one state machine


def test_carriers_and_routes_have_less() -> None:
    assert longest(Path("routes/speech.py")) == longest(Path("transports/webrtc/call.py")) == 250
    assert longest(Path("synthesis/speech_job.py")) == 350


def drawn(text: str) -> set[str]:
    """The folders of the package as an indented tree draws them: `engines/`, `engines/genie/`."""
    tree = re.search(r"^( *)server/vivavoce/.*\n((?:\1 +.*\n)+)", text, re.MULTILINE)
    assert tree is not None
    found, path = set(), list[tuple[int, str]]()
    for indent, name in re.findall(r"^( *)([\w]+)/ ", tree[2], re.MULTILINE):
        path = [(depth, above) for depth, above in path if depth < len(indent)] + [(len(indent), name)]
        found.add("/".join(above for _, above in path))
    return found


def folders(depth: int) -> set[str]:
    """Those that hold modules or sources, down to a depth."""
    found = {path.parent.relative_to(ROOT) for end in ("py", "c", "onnx") for path in ROOT.rglob(f"*.{end}")}
    return {path.as_posix() for path in found if 0 < len(path.parts) <= depth and "template" not in path.parts}


def test_the_tree_of_the_readme_is_the_listing() -> None:
    assert drawn((REPOSITORY / "README.md").read_text(encoding="utf-8")) == folders(1)


def test_the_tree_of_the_architecture_is_the_whole_listing() -> None:
    assert drawn((REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")) == folders(3)


def test_every_guide_is_linked_from_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    guides = {f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")}
    assert guides <= set(re.findall(r"\((docs/[\w.]+)\)", readme))


def test_what_the_guides_link_and_name_exists() -> None:
    """Files of other folders, and modules in backticks of the architecture's tables."""
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links {link}"
    architecture = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/]+\.py)`", architecture):
        assert any((base / name).exists() for base in (ROOT, REPOSITORY)) or list(ROOT.rglob(name)), name


def test_a_tree_is_read_as_it_is_drawn() -> None:
    inside = "      the ground\n        a/   A: is it b/ or c?\n          b/   B\n        c/   C\n"
    assert drawn(f"x\n    server/vivavoce/   all\n{inside}    d/   D\n") == {"a", "a/b", "c"}
