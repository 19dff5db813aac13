// Elements of the page: found and made.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

export function element(name, className, content = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}

// Pieces of a line, each in its own direction: in Arabic "640 × 480" would be turned around. A piece
// is not broken into the line of its neighbors: what is left of a model's name would stand among them.
export function pieces(contents) {
  return contents.flatMap((content, i) => {
    const piece = element("span", "piece");
    piece.append(element("bdi", "", content), i < contents.length - 1 ? " ·" : "");
    return i ? [" ", piece] : [piece];
  });
}

export function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Makes the children of a list those of `items`, one for each `keyOf(item)`, in their order.
// Children that stay are the same elements as before, and keep the focus; if the one with the
// focus goes, its neighbor gets it.
export function updateList(list, items, keyOf, make, update) {
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const focused = [...list.children].findIndex((child) => child.contains(document.activeElement));
  items.forEach((item, i) => {
    const key = String(keyOf(item));
    let child = there.get(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    there.delete(key);
    update(child, item);
    if (list.children[i] !== child) {
      const active = child.contains(document.activeElement) ? document.activeElement : null;
      list.insertBefore(child, list.children[i] ?? null);
      active?.focus({ preventScroll: true }); // what is moved loses it
    }
  });
  const losesFocus = [...there.values()].some((child) => child.contains(document.activeElement));
  for (const child of there.values()) child.remove();
  if (losesFocus) {
    const next = list.children[Math.min(focused, list.children.length - 1)];
    next?.querySelector("button")?.focus({ preventScroll: true });
  }
}
