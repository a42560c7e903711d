// Where the service would put a box of some shape: what is most interesting, or the faces.

/** The region {x, y, w, h}, or null when there is no answer. */
export async function suggestion(source, aspect, anchor, signal) {
  const data = new FormData();
  data.append("aspect", aspect);
  data.append("anchor", anchor);
  if (source.jobId) data.append("source", source.jobId);
  else data.append("image", source.file, source.name);
  const answer = await fetch("/v1/detect", { method: "POST", body: data, signal }).catch(() => null);
  if (!answer?.ok) return null;
  const { region: [x, y, w, h] = [] } = await answer.json();
  return w ? { x, y, w, h } : null;
}
