"""All that flowproof registers with Locust: options, event listeners, load shapes and the web form."""
