"""The load engine: bytes out, answers in, times measured. It knows neither contracts nor fixtures nor Locust."""
