"""The array types of the engine: real (or, for complex steps, complex) numbers, and places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
