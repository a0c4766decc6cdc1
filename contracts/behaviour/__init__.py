"""What responses show of how a target behaves: facts that can be kept, compared and reviewed.

What belongs here: the form of a behaviour, and functions from exchanges to behaviours. They keep no raw value unless it
is one of a few that repeat, so that no personal data and no secret gets into a record.
"""
