"""The 3x3 matrices of colour spaces (SMPTE RP 177-1993; Bradford, ICC.1:2022, annex E)."""

Matrix = tuple[tuple[float, ...], ...]
Vector = tuple[float, ...]

BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
WHITE_D50: Vector = (0.96422, 1.0, 0.82521)


def product(left: Matrix, right: Matrix) -> Matrix:
    """Return the product of two matrices."""
    columns = tuple(zip(*right, strict=True))
    return tuple(tuple(_dot(row, column) for column in columns) for row in left)


def applied(matrix: Matrix, vector: Vector) -> Vector:
    """Return the matrix applied to a vector."""
    return tuple(_dot(row, vector) for row in matrix)


def _dot(left: Vector, right: Vector) -> float:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def inverse(matrix: Matrix) -> Matrix | None:
    """Return the inverse by cofactors; None for a matrix without one."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    if abs(determinant) < 1e-9:
        return None
    return tuple(tuple(value / determinant for value in row) for row in cofactors)


def rgb_to_xyz(primaries: Vector) -> Matrix | None:
    """Return the matrix from linear RGB to XYZ for x and y of white, red, green and blue."""
    if not all(primaries[1::2]):
        primaries = tuple(value or 1e-6 for value in primaries)
    white, *colors = (_xyz(*primaries[at : at + 2]) for at in range(0, 8, 2))
    columns: Matrix = tuple(zip(*colors, strict=True))
    solved = inverse(columns)
    if solved is None:
        return None
    scale = applied(solved, white)
    return tuple(tuple(v * s for v, s in zip(row, scale, strict=True)) for row in columns)


def _xyz(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def adapt_to_d50(white: Vector) -> Matrix:
    """Return the Bradford matrix from a white of these x and y to D50."""
    source = applied(BRADFORD, _xyz(*white))
    target = applied(BRADFORD, WHITE_D50)
    ratio = tuple(t / s for t, s in zip(target, source, strict=True))
    scaled: Matrix = tuple(tuple(value * ratio[row] for value in BRADFORD[row]) for row in range(3))
    back = inverse(BRADFORD)
    assert back is not None  # noqa: S101 - a constant that has one
    return product(back, scaled)
