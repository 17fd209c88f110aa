"""How the pages are built: offline, with the committed notebooks and the reference made from the docstrings."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]

from psm_analysis import __version__  # noqa: E402

project = "psm_analysis"
author = "The psm_analysis founders"
copyright = "the psm_analysis founders"
release = version = __version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "mathml",
    "notebook_pages",
    "reference_pages",
]
exclude_patterns = ["_build", "extensions", "**.ipynb_checkpoints"]
html_theme = "furo"
html_title = f"psm_analysis {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True

autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries = False
