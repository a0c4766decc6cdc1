"""The Allure report: prepares pytest's results for it and makes one self-contained HTML file of them."""
