"""The explorer: one HTML page on which upsampling layers are tried on small inputs.

The page's scripts compute what `polyphase.algebra` computes, and the tests compare both. What
stands in which script:

1. numbers, resampling, operators, equals, costs: the mathematics, without a page;
2. layers, weights, state: what may be chosen, and how the address writes it;
3. code: the Keras code of a state; compute: all numbers of a state, `explorer.compute`;
4. grids, pictures, controls, sums, parts, stage, panels, waves, disguises, training, listings:
   what is seen;
5. main: the state in use, and what changes it.
"""

from importlib import resources
from pathlib import Path

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup

_SCRIPTS = (
    *("numbers", "resampling", "operators", "equals", "costs"),
    *("layers", "weights", "state", "code", "compute"),
    *("grids", "pictures", "controls", "sums", "parts", "stage", "panels", "waves"),
    *("disguises", "training", "listings", "main"),
)


def page() -> str:
    """Return the page as HTML: its style, its scripts and the trained kernels are in it."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_file)
    )
    scripts = "\n".join(_file(f"{name}.js") for name in _SCRIPTS)
    return environment.get_template("template.html.j2").render(
        style=Markup(_file("style.css")),
        kernels=Markup(_file("kernels.json")),
        script=Markup(scripts),
    )


def is_page(path: Path) -> bool:
    """Return whether a file is an explorer, of this version or another."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'content="polyphase explore"' in file.read(400)


def _file(name: str) -> str:
    return resources.files("polyphase.explorer").joinpath(name).read_text(encoding="utf-8")
