"""How the site is built: `make site`. Nothing is fetched while it is built or read."""

import sys
from pathlib import Path

from polyphase import __version__

sys.path.insert(0, str(Path(__file__).parent))

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
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Exactness", "Formula"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
