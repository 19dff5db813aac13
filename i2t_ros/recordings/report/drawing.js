// How a timeline looks.

const HUES = [172, 28, 264, 340, 206, 88, 312, 48, 232, 140, 0, 190];

function drawTimeline(timeline) {
  const { canvas, host, stream, from, to } = timeline;
  const [width, height, ratio] = [host.clientWidth, host.clientHeight, window.devicePixelRatio || 1];
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const known = new Map();
  const color = (name) => {
    if (!known.has(name)) known.set(name, style.getPropertyValue(`--${name}`).trim());
    return known.get(name);
  };
  const xOf = (time) => ((time - from) / (to - from)) * width;
  const bottom = height - AXIS;
  drawAxis(context, timeline, { width, height, bottom, xOf, color, font: style.fontFamily });
  context.fillStyle = color("hit");
  for (const [start, end] of timeline.spans) {
    if (end < from || start > to) continue;
    const left = Math.max(0, xOf(start));
    const right = Math.min(width, xOf(end));
    context.globalAlpha = 0.22;
    context.fillRect(left, 0, Math.max(1.5, right - left), bottom);
    context.globalAlpha = 1;
    context.fillRect(left, bottom - 4, Math.max(1.5, right - left), 4);
  }
  timeline.rows().forEach(([name, values], row) => {
    const hue = HUES[name % HUES.length];
    drawRow(context, values, { top: row * ROW + 20, hue, xOf, from, to, width, color });
  });
  if (timeline.cursor !== null) {
    context.fillStyle = color("ink");
    context.fillRect(xOf(timeline.cursor) - 1, 0, 2, bottom);
  }
  canvas.setAttribute("aria-valuemin", stream.first / 1000);
  canvas.setAttribute("aria-valuemax", stream.last / 1000);
  canvas.setAttribute("aria-valuenow", (timeline.cursor ?? stream.first) / 1000);
  canvas.setAttribute("aria-valuetext", timeOf(timeline.cursor ?? stream.first));
}

// More of a class is darker (on a dark page: brighter). Bars that share a pixel are drawn once.
function drawRow(context, values, { top, hue, xOf, from, to, width, color }) {
  let most = 1;
  for (let at = 2; at < values.length; at += 3) most = Math.max(most, values[at]);
  let [lastPixel, strongest] = [-1, 0];
  context.textBaseline = "middle";
  context.textAlign = "center";
  for (let at = firstAfter(values, from); at < values.length && values[at] <= to; at += 3) {
    const count = values[at + 2];
    const left = Math.max(0, xOf(values[at]));
    const size = Math.max(1, Math.min(width, xOf(values[at + 1])) - left);
    if (size <= 1 && Math.floor(left) === lastPixel && count <= strongest) continue;
    [lastPixel, strongest] = [Math.floor(left), count];
    const strength = most === 1 ? 0.7 : 0.35 + (0.65 * count) / most;
    context.fillStyle = `hsl(${hue} ${color("bar-saturation")} ${color("bar-lightness")} / ${strength})`;
    context.fillRect(left, top, size > 3 ? size - 1 : size, 14);
    if (size < 22 || count < 2) continue;
    context.fillStyle = strength > 0.6 ? color("bar-ink") : color("ink");
    context.fillText(numeral(count), left + size / 2, top + 7.5);
  }
}

function drawAxis(context, timeline, { width, height, bottom, xOf, color, font }) {
  const { stream, from, to } = timeline;
  const step = STEPS.find((size) => ((to - from) / size) * 84 < width) ?? STEPS.at(-1);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${font}`;
  context.textBaseline = "top";
  context.fillStyle = color("line");
  timeline.rows().forEach((_, row) => context.fillRect(0, row * ROW + 20 + 13, width, 1));
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const x = xOf(time);
    context.fillStyle = color("line");
    context.fillRect(x, 0, 1, bottom + 4);
    context.fillStyle = color("soft");
    // Nothing is cut off at the ends.
    context.textAlign = x < 40 ? "left" : x > width - 40 ? "right" : "center";
    context.fillText(timeOf(time, step < 1000 ? 1 : 0), x, bottom + 6);
    if (stream.begin !== null) {
      context.fillText(clockOf(stream, time, false).replace(" UTC", ""), x, bottom + 21);
    }
  }
}
