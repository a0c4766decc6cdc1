"""getflow: what its conventions page promises and no schema says; one file for each section of the page."""
