// The tools under the stage that change the view, not the crop.

import { byId } from "./words.js";

/** Show how large the stage draws the image, and whether it is zoomed in. */
export function drawZoom(scale, zoomed) {
  byId("zoom").textContent = `${Math.round(scale * 100)} %`;
  byId("zoom-out").disabled = !zoomed;
}

/** Let the buttons zoom and move what the stage shows. */
export function listenForZoom(stage) {
  byId("zoom-in").addEventListener("click", () => stage.zoomBy(1.25));
  byId("zoom-out").addEventListener("click", () => stage.zoomBy(1 / 1.25));
  byId("pan").addEventListener("click", ({ currentTarget }) => {
    stage.setPan(!stage.panning);
    currentTarget.setAttribute("aria-pressed", stage.panning);
  });
}
