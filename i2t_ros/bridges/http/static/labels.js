// Where labels go, so that they hide neither each other nor what was found.

const MOST_HIDDEN = 0.1; // of an object by labels of others
const MOST_HIDDEN_OF_OWN = 0.3; // by all labels, its own among them

// Returns a place for each label, in the same order: { x, y, fits }. What comes first chooses first.
// A label that fits nowhere lies on its own box, and is to be shown only when it is asked for.
//
// labels: { box: [left, top, right, bottom], wide, high }
// boxes:  of everything that was found
// area:   [left, top, right, bottom] that can be seen, which may be more than the picture
export function placeLabels(labels, boxes, area) {
  const taken = [];
  const covered = new Map(boxes.map((box) => [box, 0])); // by the labels so far, 0 to 1
  return labels.map((label) => {
    let best = null;
    for (const spot of spots(label, area)) {
      if (taken.some((other) => overlap(spot, other) > 0)) continue;
      const hides = hidden(spot, label.box, covered);
      if (hides !== null && (!best || hides < best.hides - 1e-6)) best = { hides, spot };
    }
    if (best) {
      taken.push(best.spot);
      for (const [box, part] of covered) covered.set(box, part + partOf(box, best.spot));
    }
    const [x, y] = best ? best.spot : spots(label, area)[0];
    return { x, y, fits: Boolean(best) };
  });
}

// The places for a label, the most usual first.
function spots({ box: [left, top, right, bottom], wide, high }, area) {
  const across = [left, right - wide, (left + right - wide) / 2];
  const places = [
    ...across.map((x) => [x, top - high]),
    ...across.map((x) => [x, bottom]),
    [right, top], [left - wide, top], [right, bottom - high], [left - wide, bottom - high],
    [left, top], [right - wide, top], [left, bottom - high], [right - wide, bottom - high],
  ];
  return places.map(([x, y]) => {
    const inX = Math.max(area[0], Math.min(x, area[2] - wide));
    const inY = Math.max(area[1], Math.min(y, area[3] - high));
    return [inX, inY, inX + wide, inY + high];
  });
}

// How much of the objects a label hides, as the sum of their parts; null: too much.
function hidden(spot, own, covered) {
  let sum = 0;
  for (const [box, before] of covered) {
    const part = partOf(box, spot);
    const most = box === own ? MOST_HIDDEN_OF_OWN : MOST_HIDDEN;
    if (part > 0 && before + part > most) return null;
    sum += part;
  }
  return sum;
}

function partOf(box, spot) {
  return overlap(spot, box) / Math.max(1e-6, (box[2] - box[0]) * (box[3] - box[1]));
}

function overlap(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return wide > 0 && high > 0 ? wide * high : 0;
}
