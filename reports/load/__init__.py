"""What a load run comes to: its figures read back, judged by objectives, compared with another run, and shown.

Rule: a run is its folder and nothing else, so every report can be made again from it, and a run that was killed is
read as far as its lines go. What is missing is never green.
"""
