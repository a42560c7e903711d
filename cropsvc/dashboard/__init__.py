"""rq-dashboard in a process of its own, made safe: `python -m cropsvc.dashboard`.

Upstream's routes, lists and style are kept; its templates and scripts, which run what a job holds,
are not.
"""
