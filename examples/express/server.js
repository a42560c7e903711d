// Product photos: an upload becomes two crops, and a webhook says when they are there.
import { mkdir, writeFile } from "node:fs/promises";
import { CropClient, CropError, verifyWebhook } from "cropsvc-client";
import express from "express";

const { PORT = 3000, PUBLIC_URL = `http://localhost:${PORT}`, PHOTOS = "photos", WEBHOOK_SECRET } = process.env;
const { CROPSVC_URL = "http://localhost:5000", CROPSVC_KEY = null } = process.env;
const OUTPUTS = [
  { name: "large", size: "1200x1200", fit: "inside", enlarge: false },
  { name: "thumb", aspect: "1:1", size: "200x200", anchor: "smart" },
];
const crops = new CropClient(CROPSVC_URL, { key: CROPSVC_KEY });
const products = new Map(); // job ID -> product. A shop keeps both in its database.
const photos = new Map(); // product -> state, files, error
const app = express();

app.param("product", (request, response, next, product) =>
  /^[a-z0-9-]{1,64}$/.test(product) ? next() : response.sendStatus(404));

app.put("/products/:product/photo", express.raw({ type: "image/*", limit: "32mb" }), async (request, response) => {
  const webhook = `${PUBLIC_URL}/webhooks/crops`;
  const job = await crops.submit(request.body, { outputs: OUTPUTS, format: "webp", webhook });
  const { product } = request.params;
  products.set(job.id, product);
  photos.set(product, { state: job.state });
  response.status(202).json({ job: job.id });
});

app.get("/products/:product", (request, response) => {
  const found = photos.get(request.params.product);
  return found ? response.json(found) : response.sendStatus(404);
});

// The signature is over the body as it came, so it is read as text.
app.post("/webhooks/crops", express.text({ type: "application/json" }), async (request, response) => {
  const { data: job } = await verifyWebhook(request.body, request.headers, WEBHOOK_SECRET);
  const product = products.get(job.id);
  if (!product) return response.sendStatus(503); // faster than the submit's answer: it comes again
  const files = [];
  for (const { name } of job.outputs.filter((output) => output.state === "done")) {
    const file = `${product}-${name}.webp`;
    const image = await crops.image(job, name);
    await writeFile(`${PHOTOS}/${file}`, Buffer.from(await image.arrayBuffer()));
    files.push(`/photos/${file}`);
  }
  photos.set(product, { state: job.state, files, error: job.error?.detail });
  return response.sendStatus(204); // a message that comes twice does the same again
});

app.use("/photos", express.static(PHOTOS));

app.use((error, request, response, next) => {
  if (!(error instanceof CropError)) return next(error);
  const status = error.code === "wrong-signature" ? 401 : error.status || 503;
  return response.status(status).json({ error: error.message });
});

await mkdir(PHOTOS, { recursive: true });
app.listen(PORT, () => console.log(`product photos: ${PUBLIC_URL}`));
