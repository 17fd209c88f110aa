"""``python -m psm_analysis`` is the command ``psm-analysis``."""

from __future__ import annotations

from psm_analysis.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
