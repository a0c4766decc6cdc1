"""The icon of each verdict in Markdown and on pages."""

ICONS = {"pass": "✅", "fail": "❌", "broken": "💥", "misuse": "🔧", "inconclusive": "❔", "unreachable": "🔌"}
