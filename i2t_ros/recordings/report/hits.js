// Where in a stream as many objects are seen as a search asks for. Times are in milliseconds.

// Returns [[start, end]] of a stream in which all terms hold for at least so long.
function spansOf(stream, terms, lasting) {
  const whole = [[stream.first, Math.max(stream.last, stream.first) + 1]];
  return terms
    .reduce((spans, term) => common(spans, spansWith(stream, term, whole)), whole)
    .filter(([start, end]) => end - start >= lasting);
}

function spansWith(stream, { classes, count }, whole) {
  const changes = [];
  for (const [name, values] of stream.rows) {
    if (!classes.includes(name)) continue;
    for (let at = 0; at < values.length; at += 3) {
      const [start, end, number] = values.slice(at, at + 3);
      changes.push([start, number], [Math.max(end, start + 1), -number]);
    }
  }
  changes.sort((a, b) => a[0] - b[0]);
  const spans = [];
  let [number, start] = [0, null];
  for (let at = 0; at < changes.length;) {
    const time = changes[at][0];
    for (; at < changes.length && changes[at][0] === time; at += 1) number += changes[at][1];
    if (start === null && number >= Math.max(count, 1)) start = time;
    else if (start !== null && number < Math.max(count, 1)) {
      spans.push([start, time]);
      start = null;
    }
  }
  return count ? spans : between(spans, whole);
}

function between(spans, [[first, last]]) {
  const free = [];
  let from = first;
  for (const [start, end] of spans) {
    if (start > from) free.push([from, start]);
    from = end;
  }
  return from < last ? [...free, [from, last]] : free;
}

function common(some, others) {
  const both = [];
  for (let a = 0, b = 0; a < some.length && b < others.length;) {
    const start = Math.max(some[a][0], others[b][0]);
    const end = Math.min(some[a][1], others[b][1]);
    if (start < end) both.push([start, end]);
    if (some[a][1] < others[b][1]) a += 1;
    else b += 1;
  }
  return both;
}

// Whether a picture shows what the terms ask for.
function showsAll(moment, terms) {
  return terms.every(({ classes, count }) => {
    const there = moment.changes.filter(([name]) => classes.includes(name));
    const number = there.reduce((sum, change) => sum + change[2], 0);
    return count ? number >= count : !number;
  });
}
