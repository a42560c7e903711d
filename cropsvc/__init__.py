"""cropsvc: upload an image and a box, follow the job, fetch the crop."""

__version__ = "0.1.0"
