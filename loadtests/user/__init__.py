"""Classes of Locust users that run journeys, and what journeys need."""
