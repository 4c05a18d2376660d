// What ink hangs together in a picture, and which of it are ruled lines, as in
// nnlib/pictures/regions.py. A mask is a picture of 0 and 1; right and bottom are outside of a box.

const JOINED = [[0.35, 0.35, 0.2], [0.6, 0.25, 0.15], [1, 0.2, 0]]; // parts of one thing
const SPECK = 0.02; // of the largest part's ink; what has less belongs to nothing
const JOININGS = 4;
const ANOTHER = 0.2; // of the largest part's ink makes another thing
const MARKED = 0.08; // of a frame's or a line's ink has what it is around or under, at least
const BESIDE = 0.8; // of each side of a thing has a frame beside it, at least
// A line under a thing: its height and its distance at most, in its width, which is larger than the
// thing's so many times.
const [FLAT, UNDER, WIDER] = [0.25, 0.3, 1.2];
const ALONG = 0.35; // of a picture's shorter side; what lies along more of the border is no stroke
const SLOPE = 0.18; // of a ruled line, at most: 10 degrees
const LINE = 0.6; // of a picture's width at least is a line long
const PARTLY = 0.03; // of it at least, if the line leaves the picture above or below
const THIN = 0.08; // of a picture's width at most is a line thick

const sideOf = ({ left, top, right, bottom }) => Math.max(right - left, bottom - top);
const masked = (picture, isIn) => mapped(picture, isIn, Uint8Array);

/** The smallest box around the ink, or null. */
function boundsOf({ pixels, width }) {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  pixels.forEach((value, i) => {
    if (!value) return;
    const x = i % width;
    const y = Math.floor(i / width);
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  });
  return right < 0 ? null : { left, top, right, bottom };
}

/** A box of whole pixels, with a margin as far as there are any. */
function enlarged(box, margin, limits) {
  return {
    left: Math.max(limits.left, Math.floor(box.left - margin)),
    top: Math.max(limits.top, Math.floor(box.top - margin)),
    right: Math.min(limits.right, Math.ceil(box.right + margin)),
    bottom: Math.min(limits.bottom, Math.ceil(box.bottom + margin)),
  };
}

/** Where a box lies, with a pixel around it, in an enlarged part of a picture. */
function rectangle(picture, box, around, scale) {
  const left = scale * (box.left - around.left) - 1;
  const right = scale * (box.right - around.left) + 1;
  const top = scale * (box.top - around.top) - 1;
  const bottom = scale * (box.bottom - around.top) + 1;
  return masked(picture, (_, i) => {
    const [y, x] = [Math.floor(i / picture.width) + 0.5, (i % picture.width) + 0.5];
    return x >= left && x <= right && y >= top && y <= bottom;
  });
}

/** The parts of a mask that hang together by a side or a corner, numbered from 1 on. */
function labelled({ pixels, width, height }) {
  const labels = new Int32Array(pixels.length);
  const open = new Int32Array(pixels.length); // places whose neighbours are yet to be seen
  let count = 0;
  for (let start = 0; start < pixels.length; start++) {
    if (!pixels[start] || labels[start]) continue;
    labels[start] = ++count;
    open[0] = start;
    for (let left = 1; left;) {
      const i = open[--left];
      const [x, y] = [i % width, Math.floor(i / width)];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const near = row * width + column;
          if (pixels[near] && !labels[near]) {
            labels[near] = count;
            open[left++] = near;
          }
        }
      }
    }
  }
  return { labels, count };
}

/** The connected part of a mask with most ink, with small parts that are near, and how many other
 * things there are; null without ink. */
function largest(mask, ink) {
  const { labels, count } = labelled(mask);
  if (!count) return null;
  const share = new Float64Array(count + 1); // of the ink
  labels.forEach((label, i) => { if (label) share[label] += ink[i]; });
  const isMark = marksOf(mask, labels, share);
  const notMarks = share.map((mass, label) => (isMark[label] ? 0 : mass));
  let main = 1;
  for (let label = 2; label <= count; label++) if (notMarks[label] > notMarks[main]) main = label;
  const most = share[main];
  if (!(most > 0)) return null;
  share.forEach((mass, label) => { share[label] = mass / most; });
  let belongs = Uint8Array.from(share, (_, label) => label === main);
  const belonging = () => masked(mask, (_, i) => belongs[labels[i]]);
  for (let round = 0; round < JOININGS; round++) {
    const found = belonging();
    const side = sideOf(boundsOf(found));
    const isNear = belongs.slice();
    for (const [largestShare, down, across] of JOINED) {
      const reached = windowMaxima(found, Math.round(down * side), Math.round(across * side));
      labels.forEach((label, i) => {
        const isPart = share[label] >= SPECK && !isMark[label];
        if (reached.pixels[i] && isPart && share[label] <= largestShare) isNear[label] = 1;
      });
    }
    if (isNear.every((value, label) => value === belongs[label])) break;
    belongs = isNear;
  }
  const others = share.filter((value, label) => !belongs[label] && value >= ANOTHER).length;
  return { mask: belonging(), others };
}

/** Which of the numbered parts are around or under another one that is no speck. */
function marksOf({ width, height }, labels, masses) {
  const boxes = Array.from(masses, () => (
    { left: Infinity, top: Infinity, right: -1, bottom: -1 }
  ));
  labels.forEach((label, i) => {
    const box = boxes[label];
    const [x, y] = [i % width, Math.floor(i / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x + 1);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
  });
  const least = SPECK * masses.reduce((most, mass) => Math.max(most, mass), -Infinity);
  return Uint8Array.from(masses, (mass, part) => {
    if (!part || mass < least) return 0;
    const outer = boxes[part];
    const breadth = outer.right - outer.left;
    const rise = outer.bottom - outer.top;
    const isWithin = (inner) => inner.left > outer.left && inner.right < outer.right;
    const isOver = (inner) => {
      const lower = outer.top - inner.bottom;
      return lower >= -rise && lower <= UNDER * breadth
        && breadth > WIDER * (inner.right - inner.left);
    };
    const isAround = (inner) => {
      if (!(inner.top > outer.top && inner.bottom < outer.bottom)) return false;
      const [left, right] = [new Uint8Array(height), new Uint8Array(height)];
      const [above, below] = [new Uint8Array(width), new Uint8Array(width)];
      for (let y = outer.top; y < outer.bottom; y++) {
        for (let x = outer.left; x < outer.right; x++) {
          if (labels[y * width + x] !== part) continue;
          if (x < inner.left) left[y] = 1;
          if (x >= inner.right) right[y] = 1;
          if (y < inner.top) above[x] = 1;
          if (y >= inner.bottom) below[x] = 1;
        }
      }
      const rows = [left, right].map((side) => side.subarray(inner.top, inner.bottom));
      const columns = [above, below].map((side) => side.subarray(inner.left, inner.right));
      return [...rows, ...columns].every((side) => meanOf(side) >= BESIDE);
    };
    const isFlat = rise <= FLAT * breadth;
    return boxes.some((inner, label) => (
      label && masses[label] >= MARKED * mass && isWithin(inner)
        && ((isFlat && isOver(inner)) || isAround(inner))
    ));
  });
}

/** Leave out parts that lie along the picture's border, as a table beside the paper does. */
function withoutSurroundings(mask) {
  const { width, height } = mask;
  const { labels, count } = labelled(mask);
  const along = new Int32Array(count + 1);
  for (const row of [0, height - 1]) {
    for (let x = 0; x < width; x++) along[labels[row * width + x]]++;
  }
  for (let y = 1; y < height - 1; y++) {
    along[labels[y * width]]++;
    along[labels[y * width + width - 1]]++;
  }
  const most = ALONG * Math.min(width, height);
  return masked(mask, (value, i) => value && along[labels[i]] <= most);
}

/** Leave ruled lines out, except where a stroke crosses them, and say which there are. In a part of
 * a picture, those of the whole are expected. A lone line down is none: it may be a 1. */
function withoutLines(mask, expected) {
  const without = (all, some) => masked(all, (value, i) => value && !some.pixels[i]);
  const across = linesAcross(mask);
  const left = !expected || expected.across ? without(mask, across.found) : mask;
  const down = linesAcross(turned(left));
  const lines = expected ?? {
    across: across.count > 0,
    down: down.count > (across.count > 1 ? 0 : 1),
  };
  return { mask: lines.down ? without(left, turned(down.found)) : left, lines };
}

/** A mask whose rows are the columns of another. */
function turned({ pixels, width, height }) {
  const swapped = { pixels, width: height, height: width };
  return masked(swapped, (_, i) => pixels[(i % height) * width + Math.floor(i / height)]);
}

/** The pixels of lines across, and how many lines there are. */
function linesAcross(mask) {
  const { pixels, width, height } = mask;
  const places = Array.from(pixels, (value, i) => (value ? i : -1)).filter((i) => i >= 0);
  const rows = Int32Array.from(places, (i) => Math.floor(i / width));
  const columns = Int32Array.from(places, (i) => i % width);
  // A pixel's row, counted along a line of some slope. Between one slope and the next, a line's
  // ends move by a pixel.
  const reach = Math.floor((SLOPE * width) / 2) + 1;
  const size = height + 2 * reach;
  let [best, most, counts] = [0, 0, new Int32Array(size)];
  for (let step = 1 - reach; step < reach; step++) {
    const drop = dropOf(step, width);
    const here = new Int32Array(size);
    for (let p = 0; p < rows.length; p++) here[rows[p] - drop[columns[p]] + reach]++;
    const inLines = here.reduce((sum, n) => (n >= LINE * width ? sum + n * n : sum), 0);
    if (inLines > most) [best, most, counts] = [step, inLines, here];
  }
  const drop = dropOf(best, width);
  const lengths = counts.map((_, row) => (
    drop.filter((fall) => row - reach + fall >= 0 && row - reach + fall < height).length
  ));
  const isLine = (row) => counts[row] >= LINE * Math.max(lengths[row], PARTLY * width);

  let runs; // only where there are lines
  const found = masked(mask, () => 0);
  let count = 0;
  for (let start = 0; start < size; start++) {
    if (!isLine(start)) continue;
    let end = start + 1;
    while (end < size && isLine(end)) end++;
    const thickness = end - start;
    const middle = Array.from(drop, (fall) => (start + end - 1) / 2 - reach + fall);
    /** The inked pixels of a column within a distance from the middle of the line. */
    const near = (x, distance) => {
      const inked = [];
      const last = Math.min(height - 1, Math.floor(middle[x] + distance));
      for (let y = Math.max(0, Math.ceil(middle[x] - distance)); y <= last; y++) {
        if (pixels[y * width + x]) inked.push(y * width + x);
      }
      return inked;
    };
    // A line that leaves the picture above or below ends where its middle does.
    const isInked = [];
    for (let x = 0; x < width; x++) {
      const isIn = middle[x] >= 0 && middle[x] <= height - 1;
      if (isIn) isInked.push(near(x, thickness / 2).length > 0);
    }
    // Where there is nothing of it, 0 / 0 is not enough.
    const tenth = Math.ceil(isInked.length / 10);
    const goesThrough = [isInked.slice(0, tenth), isInked.slice(-tenth)].every(
      (part) => part.filter(Boolean).length / part.length >= 0.5,
    );
    if (thickness <= Math.max(2, THIN * width) && goesThrough) {
      count += lengths.subarray(start, end).includes(width) ? 1 : 0;
      runs ??= runsDown(mask);
      for (let x = 0; x < width; x++) {
        for (const i of near(x, thickness / 2 + 2)) {
          if (runs[i] <= 1.5 * thickness + 3) found.pixels[i] = 1;
        }
      }
    }
    start = end;
  }
  return { found: count ? found : masked(mask, () => 0), count };
}

/** How far a line lies below its middle in each column, if its ends are 2 `step` apart. */
function dropOf(step, width) {
  return Int32Array.from(
    { length: width },
    (_, x) => Math.floor((step * (2 * x + 1 - width)) / width + 0.5),
  );
}

/** How many pixels of the mask follow each other down the column through each one. */
function runsDown({ pixels, width, height }) {
  const runs = new Int32Array(pixels.length);
  for (let x = 0; x < width; x++) {
    let start = 0;
    for (let y = 0; y <= height; y++) {
      if (y < height && pixels[y * width + x]) continue;
      for (let each = start; each < y; each++) runs[each * width + x] = y - start;
      start = y + 1;
    }
  }
  return runs;
}
