"""The process that sends messages about ended jobs: `python -m cropsvc.webhooks`."""
