"""One call for a task that needs both towers."""
