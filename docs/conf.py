"""How the site is built: `make site`. Nothing is fetched while it is built or read."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import keras
from docutils import nodes
from sphinx.errors import ExtensionError

from polyphase import __version__, explorer

DOCS = Path(__file__).parent
PUBLIC = ("", ".layers", ".ops", ".models", ".inspection", ".rewrite", ".datasets")

project = "Polyphase"
author = "The Polyphase developers"
project_copyright = "The Polyphase developers"
release = __version__
html_title = f"Polyphase {__version__}"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["site", "results/*/*.html"]
nitpicky = False

# Pages: Markdown; the headings of each have addresses, as on every forge.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Tutorials run while the site is built; one that fails, fails the build.
nb_execution_mode = "cache"
nb_execution_timeout = 180
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True

# Docstrings: one backtick marks code, as everywhere in the house.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
# What every layer, initialiser and metric of Keras has, and does nothing else here.
autodoc_default_options = {
    "exclude-members": "build, call, compute_output_shape, compute_output_spec, get_config, "
    "result, update_state, reset_state, from_config, symbolic_call"
}
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Exactness", "Formula"]

# Dashes stay: `--epochs` is an option.
smartquotes_action = "qe"

html_theme = "furo"
html_static_path = ["static", "../src/polyphase/report/wide.js"]
html_css_files = ["site.css"]
html_js_files = [("wide.js", {"defer": "defer"})]
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app: Any) -> None:
    """Let the reference show what Keras hides, and link the pages that docstrings name."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _linked)
    app.connect("doctree-resolved", _described)
    app.connect("html-page-context", _downloadable)
    app.connect("build-finished", _finish)


def _signature(app: Any, what: str, name: str, thing: Any, *_: Any) -> tuple[str, None] | None:
    """Return a class's own arguments, where Keras' wrapper takes any."""
    if what != "class" or not issubclass(thing, (keras.Layer, keras.Metric)):
        return None
    _, *parameters = inspect.signature(thing.__init__).parameters.values()
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(plain)), None


def _linked(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make links of `"Title" in docs/page.md`."""
    text = re.sub(r'"([^"]+)"\s+in\s+docs/(\w+)\.md', r":doc:`\1 </\2>`", "\n".join(lines))
    lines[:] = text.split("\n")


def _described(app: Any, tree: Any, page: str) -> None:
    """Give the figures of tutorials a text for those who do not see them."""
    for image in tree.findall(nodes.image):
        image.setdefault("alt", "What the code above draws")


def _downloadable(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Say above every tutorial where its notebook is."""
    if page.startswith("learn/"):
        name = f"{Path(page).name}.ipynb"
        link = f'<a href="{name}" download>Download this page as a notebook</a>'
        context["body"] = f'<p class="notebook">{link}</p>{context["body"]}'


def _finish(app: Any, error: Exception | None) -> None:
    """Write the notebooks and the explorer, and fail if a public name has no documentation."""
    if error is not None:
        return
    for source in (DOCS / "learn").glob("*.md"):
        jupytext.write(jupytext.read(source), Path(app.outdir, "learn", f"{source.stem}.ipynb"))
    Path(app.outdir, "explorer.html").write_text(explorer.page())
    documented = {name.rpartition(".")[2] for name in app.env.get_domain("py").objects}
    missing = [name for name in _public() if name.rpartition(".")[2] not in documented]
    if missing:
        raise ExtensionError(f"Not in docs/reference: {', '.join(missing)}.")


def _public() -> Iterator[str]:
    """Yield the public names that are not modules."""
    for module in (importlib.import_module(f"polyphase{name}") for name in PUBLIC):
        for name in module.__all__:
            if not name.startswith("__") and not inspect.ismodule(getattr(module, name)):
                yield f"{module.__name__}.{name}"
