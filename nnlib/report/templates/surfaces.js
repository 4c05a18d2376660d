// Arithmetic on pictures, as in nnlib/pictures/surfaces.py, with the same results to the last bit:
// sums are of multiples of some power of 1/2, and so exact in whatever order. A picture is its
// pixels, row by row, with its width and its height.

const PARTS = 1 << 14; // of a pixel, to which the edges of cells are rounded
const LEVELS = 64; // parts of a grey level, to which surfaces are rounded
const CLOSE = 2.5; // standard deviations of the noise within which a pixel is of the background
const ROUNDS = 4;
const SHARE = 0.3; // of the pixels decide how much noise there is
const NORMAL = 0.3853; // standard deviations of a normal distribution that this share is within

const rounded = (value, parts = LEVELS) => Math.floor(parts * value + 0.5) / parts;

/** A picture of the same size, from what is made of each pixel and its place. */
function mapped({ pixels, width, height }, valueOf, Type = Float64Array) {
  const values = new Type(pixels.length);
  for (let i = 0; i < pixels.length; i++) values[i] = valueOf(pixels[i], i);
  return { pixels: values, width, height };
}

/** The value below which so many others are. */
const ranked = (values, rank) => values.slice().sort()[rank];

function median(values) {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Means of a picture over equal cells of a rectangle; 0 is outside of the picture. */
function boxMeans({ pixels, width, height }, { left, top, right, bottom }, columns, rows) {
  const across = edgesOf(left, right, columns);
  const down = edgesOf(top, bottom, rows);
  const parts = Array.from(across.subarray(1), (_, column) => overlaps(across, column, width));
  const means = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const sums = new Float64Array(width); // of the columns of pixels
    for (const [y, part] of overlaps(down, row, height)) {
      for (let x = 0; x < width; x++) sums[x] += part * pixels[y * width + x];
    }
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (const [x, part] of parts[column]) sum += part * sums[x];
      const area = (down[row + 1] - down[row]) * (across[column + 1] - across[column]);
      means[row * columns + column] = sum / area;
    }
  }
  return { pixels: means, width: columns, height: rows };
}

function edgesOf(start, end, cells) {
  const step = (end - start) / cells;
  return Float64Array.from({ length: cells + 1 }, (_, i) => rounded(start + step * i, PARTS));
}

/** Which pixels lie in a cell, each with how much of it does. */
function overlaps(edges, cell, end) {
  const [low, high] = [edges[cell], edges[cell + 1]];
  const found = [];
  for (let pixel = Math.max(0, Math.floor(low)); pixel < Math.min(end, high); pixel++) {
    found.push([pixel, Math.min(pixel + 1, high) - Math.max(pixel, low)]);
  }
  return found;
}

/** A picture of which each row, and then each column, is replaced by what `fill` makes of it. */
function alongBoth(picture, fill) {
  const { width, height } = picture;
  const pixels = picture.pixels.slice();
  const ways = [
    { lines: height, apart: width, length: width, stride: 1 },
    { lines: width, apart: 1, length: height, stride: width },
  ];
  ways.forEach(({ lines, apart, length, stride }, way) => {
    const line = pixels.slice(0, length);
    const out = line.slice();
    for (let start = 0; start < lines * apart; start += apart) {
      for (let i = 0; i < length; i++) line[i] = pixels[start + i * stride];
      fill(out, line, way === 0);
      for (let i = 0; i < length; i++) pixels[start + i * stride] = out[i];
    }
  });
  return { pixels, width, height };
}

/** Mean of the pixels around each one: those of a square window that lie in the picture. */
function windowMeans(picture, radius) {
  const { width, height } = picture;
  const sums = alongBoth(picture, (out, line) => {
    let sum = 0;
    for (let i = 0; i < line.length + radius; i++) {
      if (i < line.length) sum += line[i];
      if (i > 2 * radius) sum -= line[i - 2 * radius - 1];
      if (i >= radius) out[i - radius] = sum;
    }
  });
  const count = (i, size) => Math.min(i + radius + 1, size) - Math.max(i - radius, 0);
  return mapped(sums, (sum, i) => (
    sum / (count(Math.floor(i / width), height) * count(i % width, width))
  ));
}

/** The largest value in a window around each pixel, so many pixels to each side. */
function windowMaxima(picture, down, across) {
  // The places of values that may yet be the largest, from the largest on.
  const waiting = new Int32Array(Math.max(picture.width, picture.height));
  return alongBoth(picture, (out, line, isRow) => {
    const radius = isRow ? across : down;
    let [first, end] = [0, 0];
    for (let i = 0; i < line.length + radius; i++) {
      if (i < line.length) {
        while (end > first && line[waiting[end - 1]] <= line[i]) end--;
        waiting[end++] = i;
      }
      if (waiting[first] < i - 2 * radius) first++;
      if (i >= radius) out[i - radius] = line[waiting[first]];
    }
  });
}

/** Standard deviation of values around 0, from a quantile of their sizes. */
const spread = (values) => ranked(values.map(Math.abs), Math.floor(SHARE * values.length)) / NORMAL;

/** The light on the background of a picture: a plane close to most of its pixels. */
function background(grey) {
  const { pixels, width, height } = grey;
  const size = pixels.length;
  const surface = new Float64Array(size).fill(median(pixels));
  for (let round = 0; round < ROUNDS; round++) {
    const off = pixels.map((value, i) => value - surface[i]);
    const most = CLOSE * Math.max(spread(off), 0.5);
    // Sums over the pixels that are near: of 1, y and x, times each other and the grey level; y and
    // x are half pixels from the middle.
    let [n, sumY, sumX, sumYY, sumYX, sumXX, sum, sumOfY, sumOfX] = Array(9).fill(0);
    for (let i = 0, y = 1 - height; y < height; y += 2) {
      for (let x = 1 - width; x < width; x += 2, i++) {
        if (Math.abs(off[i]) > most) continue;
        const value = pixels[i];
        n += 1;
        sumY += y;
        sumX += x;
        sumYY += y * y;
        sumYX += y * x;
        sumXX += x * x;
        sum += value;
        sumOfY += y * value;
        sumOfX += x * value;
      }
    }
    // A picture of one row or column leaves a slope open: it is 0.
    const least = 1e-9 * size;
    const [level, slopeDown, slopeAcross] = solved([
      [n + least, sumY, sumX, sum],
      [sumY, sumYY + least * height ** 2, sumYX, sumOfY],
      [sumX, sumYX, sumXX + least * width ** 2, sumOfX],
    ]);
    for (let i = 0, y = 1 - height; y < height; y += 2) {
      for (let x = 1 - width; x < width; x += 2, i++) {
        surface[i] = level + slopeDown * y + slopeAcross * x;
      }
    }
  }
  return { pixels: surface, width, height };
}

/** Solve linear equations of a positive definite matrix, the right side in its last column. */
function solved(rows) {
  rows.forEach((pivot, i) => {
    rows.forEach((row, j) => {
      if (i === j) return;
      const factor = row[i] / pivot[i];
      pivot.forEach((value, k) => { row[k] -= factor * value; });
    });
  });
  return rows.map((row, i) => row[row.length - 1] / row[i]);
}

/** Fill what is dark and narrower than a square window: the closing of a grey picture. */
function closing(values, radius) {
  const negative = (picture) => mapped(picture, (value) => -value);
  return negative(windowMaxima(negative(windowMaxima(values, radius, radius)), radius, radius));
}
