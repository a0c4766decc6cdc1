"""Benchmarks of load generators: the CPU cost of a request, and the accuracy of reported times, ours and other tools.

Rule: a tool's own figures are not used where they can be measured from outside. The server counts requests, the kernel
counts CPU, and true times follow from a server with known delays. Run `python -m loadtests.bench load` or
`python -m loadtests.bench accuracy`.
"""
