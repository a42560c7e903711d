// Tilted images in Cropper.js, which would show a tilted image with its empty corners.

/**
 * Let Cropper draw its images turned and enlarged about the middle of its canvas, so that the
 * canvas is the frame of the contract. `leaning()` gives {angle, w, h}, or null for none.
 */
export function lean(cropper, leaning) {
  const turned = (image) => {
    const how = leaning();
    if (!how || !image) return;
    const place = (image.style.transform.match(/translate\w*\([^)]*\)/g) || []).join(" ");
    image.style.transform = `${place} scale(${how.w}, ${how.h}) rotate(${how.angle}deg)`;
  };
  const { renderImage, preview } = cropper;
  cropper.renderImage = (...all) => { renderImage.apply(cropper, all); turned(cropper.image); };
  cropper.preview = (...all) => { preview.apply(cropper, all); turned(cropper.viewBoxImage); };
}
