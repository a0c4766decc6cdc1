"""Load profiles: rates over time, open arrivals and the search for the highest rate."""
