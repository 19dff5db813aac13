// The color of a class: the same that i2t_ros/vision/drawing.py draws with.

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

const colors = new Map();

export function colorOf(name) {
  if (!colors.has(name)) {
    const hue = crc32(new TextEncoder().encode(name)) / 2 ** 32;
    const channel = (n) => {
      const k = (n + hue * 6) % 6;
      return Math.round(255 * (1 - 0.75 * Math.max(0, Math.min(k, 4 - k, 1))));
    };
    colors.set(name, `rgb(${channel(5)}, ${channel(3)}, ${channel(1)})`);
  }
  return colors.get(name);
}
