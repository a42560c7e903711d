"""The image code: bytes and parameters in, bytes and facts out; no Flask, Redis or environment."""
