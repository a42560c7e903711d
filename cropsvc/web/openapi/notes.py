"""What the notes of an output mean."""

NOTES = {
    "clamped": "The box reached outside the image and was cut to it.",
    "animation-flattened": "The source is an animation, the output shows its first frame.",
    "alpha-flattened": "The output's format has no transparency; `background` is under the image.",
    "profile-converted": "The colours were converted to sRGB.",
    "enlarged": "The result was scaled up.",
    "metadata-dropped": "The source has metadata (EXIF, XMP, comments) that the output has not.",
    "pages-dropped": "The source has several pages, the output shows the first.",
    "source-truncated": "A part of the source is missing or damaged.",
    "tone-mapped": "The source is HDR; it was tone-mapped to SDR.",
    "gain-map-dropped": "The source has a gain map for HDR screens that the output has not.",
    "video-dropped": "The source has an embedded video that the output has not.",
    "quality-lowered": "`max_bytes` needed a lower quality than `quality`.",
}
