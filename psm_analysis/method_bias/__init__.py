"""How much of what questionnaires measure is the method: one factor, method factors, markers, reversed wording."""
