// Makes photos as small as the server wants them before they are sent.

const SENT_AS_IT_IS = ["image/jpeg", "image/png", "image/webp", "image/bmp"];
const QUALITIES = [0.9, 0.8, 0.65, 0.5];

// Returns the picture itself, or a smaller JPEG of it: upright, and on white where it is
// transparent. What the browser cannot read is returned as it is: the server says what is wrong.
export async function shrunk(blob, { max_side: side, max_bytes: bytes }) {
  let image;
  try {
    image = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    return blob;
  }
  try {
    const scale = Math.min(1, side / Math.max(image.width, image.height));
    const known = SENT_AS_IT_IS.includes(blob.type) || !blob.type;
    if (scale === 1 && known && blob.size <= bytes) return blob;
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      const made = await jpegOf(canvas, quality);
      if (made && made.size <= bytes) return made;
    }
    return blob;
  } finally {
    image.close();
  }
}

export function jpegOf(canvas, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
