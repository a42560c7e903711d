// What the component shows and says.

/** Every text that the component shows or says; set other ones before an element is made. */
export const texts = {
  prompt: "Drop an image here, or", choose: "Choose an image", change: "Change image", crop: "Crop",
  cancel: "Cancel", again: "Change", in: "Zoom in", out: "Zoom out", result: "The cropped image",
  box: "Crop box", role: "crop box", progress: "Progress",
  help: "Arrow keys move the box by 1 pixel, with Shift by 10. With Alt they change its size. Plus and minus zoom.",
  uploading: "Uploading", queued: "Waiting", running: "Cropping", done: "The crop is ready.",
  missing: "Choose an image and crop it.", uncropped: "Crop the image first.",
  at: ({ x, y, w, h }) => `Box ${w} by ${h} pixels, at ${x}, ${y}.`,
  unread: (name) => `“${name}” is not an image that can be used here.`,
  large: (name, most) => `“${name}” is too large: the limit is ${Math.floor(most / 2 ** 20)} MiB.`,
};
