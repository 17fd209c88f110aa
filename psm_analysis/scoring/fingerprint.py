"""What identifies an instrument for scoring: a hash of all that decides about scores."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from psm_analysis.instruments.model import Instrument


def instrument_hash(instrument: Instrument) -> str:
    """Return the SHA-256 of what decides about scores: items, keys, codes, subscales, rules."""
    content = {
        "items": [(item.id, item.reverse, instrument.response_of(item.id).codes) for item in instrument.items],
        "subscales": [(part.id, part.items) for part in instrument.subscales],
        "rules": (instrument.scoring, asdict(instrument.missing_rule), instrument.total, instrument.factor),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
