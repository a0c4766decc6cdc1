"""Where a load run goes: the targets of its APIs, what is started for it, and the permission to load them."""
