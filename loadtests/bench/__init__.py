"""What a request costs its generator, and how true the times are that it reports: ours beside the field's tools.

Rule: no figure of a tool's own is taken where one from outside can be had. Requests are counted by the server, CPU by
the kernel, and the truth about times follows from a server whose delays are known. `python -m loadtests.bench load`
and `python -m loadtests.bench accuracy` are the doors.
"""
