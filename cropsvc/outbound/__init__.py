"""Calls to other machines: only to addresses that are allowed, whatever a URL says."""
