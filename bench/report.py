"""The table, on the screen and in bench/results.md."""

from bench.results import Claim, Figure, Results

CLAIM_HEAD = ("row", "measure", "measured", "rounds", "threshold", "met")
FIGURE_HEAD = ("row", "what", "side", "median", "rounds", "")
Rows = list[tuple[str, ...]]


def claim_rows(results: Results) -> Rows:
    """Return the thresholds, and what was measured for them."""
    return [(c.row, c.what, _of(c, c.value), _span(c), _bound(c), _met(c)) for c in results.claims]


def figure_rows(results: Results) -> Rows:
    """All figures."""
    return [
        (f.row, f.what, f.side, f"{_number(f.value)} {f.unit}", _span(f), f.note)
        for f in results.figures
    ]


def markdown(results: Results, facts: dict[str, str], form: str) -> str:
    """The page."""
    parts = [
        "# Benchmark results",
        f"Written by `make bench` ({form} form); bench/README.md says what each row does.",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        "## Thresholds",
        _pipes(CLAIM_HEAD, claim_rows(results)),
        "## Figures",
        _pipes(FIGURE_HEAD, figure_rows(results)),
    ]
    if results.failures:
        parts += ["## Not measured", "\n".join(f"- {words}" for words in results.failures)]
    return "\n\n".join(parts) + "\n"


def screen(head: tuple[str, ...], rows: Rows) -> str:
    """The same, in columns."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    ruled = ["  ".join(c.ljust(w) for c, w in zip(head, widths, strict=True)), "-" * sum(widths)]
    return "\n".join(line.rstrip() for line in (*ruled, *lines))


def _pipes(head: tuple[str, ...], rows: Rows) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _of(claim: Claim, value: float) -> str:
    return f"{value:.2f}{claim.unit}"


def _bound(claim: Claim) -> str:
    return f"{'>=' if claim.at_least else '<='} {claim.bound:g}{claim.unit}"


def _met(claim: Claim) -> str:
    return "yes" if claim.is_met else "NO"


def _span(measured: Claim | Figure) -> str:
    """How many rounds, and their extremes."""
    count = len(measured.values)
    if count == 1:
        return "1"
    return f"{count}: {_number(min(measured.values))}-{_number(max(measured.values))}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
