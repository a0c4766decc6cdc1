"""What a pytest run reports: failures, attachments, recorded exchanges, broken contracts and the run manifest."""
