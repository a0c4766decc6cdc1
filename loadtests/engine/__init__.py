"""The load engine: sends requests, reads responses and measures times; it knows neither contracts nor Locust."""
