"""PandaProbe's API: whole traces with nested spans."""
