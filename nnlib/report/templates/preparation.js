// From a picture of any kind to the image that the network sees, as in
// nnlib/pictures/preparation.py, which says why, with the same pixels.

const LONGEST = 512; // pixels of the longer side at most, where ink is looked for
const DETAIL = 80; // pixels of the ink's longer side at most, where it is looked at closely
const MARGIN = 0.4; // of the ink's longer side, that is looked at around it
const WIDEST_OF_PICTURE = 0.3; // a stroke, of the picture's longer side
const AROUND = 0.4; // the window around a pixel that it is compared with, of the longer side
const WIDEST_OF_INK = 0.6; // a stroke, of the longer side of the ink that was found
const SMALL = 50; // pixels of the shorter side, below which a picture is not smoothed at first

// Shares of the full ink
const TRACE = 0.12; // of which ruled lines may be
const FOUND = 0.35; // from which on ink is looked for
const EDGE = 0.2; // from which on a pixel is of the ink that was found
const OUTLINE = 0.35; // to which the box reaches
const CALM = 0.04; // the noise for which a picture is smoothed no further
const FULL = 0.75; // of the pixels in the strokes have less than the full ink
const STEP = 0.4; // by which ink differs from what is around it,
const RING = 0.15; // so far, as a share of its longer side;
const NARROW_RING = 0.05; // and nearer, at the picture's border, where shadows end
// Standard deviations of the noise
const CERTAIN = 4; // from which on ink is looked for
const LIKELY = 3; // from which on a pixel is of the ink that was found
const NOISE = 2; // up to which there is no ink
const LEAST = 40; // pixels with as much ink as the fullest that count

// Grey levels between ink and background
const FAINT = 30; // below which there is hardly any contrast
const INVISIBLE = 8; // below which there is none

const DARK = 64; // brightness below which ink is dark, where the background is transparent

const NOTHING = "nothing was found in the picture";
const SEVERAL = "several things were found: the largest was taken";
const BORDER = "the ink touches the border of the picture";
const CONTRAST = "there is hardly any contrast between the ink and the background";

/** Prepare a picture of strokes as MNIST's were, from the red, green, blue and opacity of its
 * pixels. Without ink there is no box, and what follows it is blank. */
function preparePicture(picture) {
  const grey = greyOf(picture);
  const { width, height } = grey;
  const whole = { left: 0, top: 0, right: width, bottom: height };
  const small = shrunk(grey, whole, LONGEST);
  const seen = lookAtWhole(small);
  if (!seen.thing) return blankPreparation(small);
  const [scaleX, scaleY] = [width / small.width, height / small.height];
  const found = boundsOf(seen.thing.mask);
  const box = {
    left: found.left * scaleX,
    top: found.top * scaleY,
    right: found.right * scaleX,
    bottom: found.bottom * scaleY,
  };
  const around = enlarged(box, MARGIN * sideOf(box) + 2, whole);
  const detail = shrunk(grey, around, (DETAIL * sideOf(around)) / sideOf(box));
  const close = lookClosely(detail, box, around, seen);
  if (!close) return blankPreparation(small);
  const warnings = [];
  if (seen.thing.others) warnings.push(SEVERAL);
  if (isAtBorder(found, small)) warnings.push(BORDER);
  if (seen.full < FAINT) warnings.push(CONTRAST);
  return {
    grey: inBytes(small),
    flattened: inBytes(mapped(seen.ink, (ink) => (255 * ink) / seen.full)),
    mask: seen.thing.mask.pixels,
    box,
    ink: close.ink,
    image: centred(close.ink, sideOf(boundsOf(close.outline)) / BOX),
    warnings,
  };
}

/** Only scale a picture to the shape of an image, as pictures that are not of strokes. What is
 * transparent becomes 0; ink that is dark on it is inverted, as it would vanish. */
function scaledPicture(picture, isInverted = INVERTED) {
  const { width, height } = picture;
  let grey = brightness(picture);
  if (isInverted || isDarkOnNothing(picture, grey)) grey = grey.map((value) => 255 - value);
  const onBlack = { pixels: onBackground(0, grey, picture), width, height };
  const step = Math.max(height / HEIGHT, width / WIDTH);
  return imageOf(onBlack, (width - step * WIDTH) / 2, (height - step * HEIGHT) / 2, step);
}

/** Whether a picture is of dark ink alone, on a transparent background. */
function isDarkOnNothing({ pixels }, grey) {
  let [lightest, isTransparent] = [-1, false];
  for (let i = 0; i < grey.length; i++) {
    const opaque = pixels[4 * i + 3];
    if (opaque < 255) isTransparent = true;
    if (opaque >= 128) lightest = Math.max(lightest, grey[i]);
  }
  return isTransparent && lightest >= 0 && lightest < DARK;
}

/** The brightness of pixels, however opaque they are: ITU-R 601, in integers. */
function brightness({ pixels, width, height }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const p = 4 * i;
    grey[i] = (19595 * pixels[p] + 38470 * pixels[p + 1] + 7471 * pixels[p + 2] + 32768) >> 16;
  }
  return grey;
}

/** The brightness of a picture of strokes. What is not opaque gets the brightness of the rest, if
 * that is most of the picture; otherwise white or black, which is farther from it. */
function greyOf(picture) {
  const { pixels, width, height } = picture;
  const grey = brightness(picture);
  let [total, weighted] = [0, 0];
  for (let i = 0; i < grey.length; i++) {
    total += pixels[4 * i + 3];
    weighted += pixels[4 * i + 3] * grey[i];
  }
  const mean = total ? weighted / total : 0;
  let behind = mean < 128 ? 255 : 0;
  if (2 * total > 255 * grey.length) behind = Math.round(mean);
  return { pixels: onBackground(behind, grey, picture), width, height };
}

/** Grey values on a background of one value. */
function onBackground(behind, grey, { pixels }) {
  return grey.map((value, i) => {
    const share = pixels[4 * i + 3];
    return Math.floor((value * share + behind * (255 - share) + 127) / 255);
  });
}

/** A part of a picture, with at most so many pixels on its longer side. */
function shrunk(grey, box, side) {
  const scale = Math.min(1, side / sideOf(box));
  const rows = Math.max(1, Math.round(scale * (box.bottom - box.top)));
  const columns = Math.max(1, Math.round(scale * (box.right - box.left)));
  return mapped(boxMeans(grey, box, columns, rows), (mean) => rounded(mean));
}

/** Look for ink, dark or light. */
function lookAtWhole(grey) {
  const longer = Math.max(grey.width, grey.height);
  let flat = withoutBackground(grey);
  if (Math.min(grey.width, grey.height) >= SMALL) flat = smoothed(flat, 1);
  const means = windowMeans(flat, Math.floor((AROUND * longer) / 2)).pixels;
  const off = flat.pixels.map((value, i) => Math.trunc(value - means[i])); // sums are exact
  const isLight = off.reduce((sum, value) => sum + value * value * value, 0) > 0;
  const dark = mapped(flat, (value) => -value);
  const seen = lookFor(isLight ? flat : dark, isLight);
  if (seen.thing || seen.lines.across || seen.lines.down) return seen;
  // A stroke that fills the picture may take more space than the background.
  return lookFor(isLight ? dark : flat, !isLight);
}

function withoutBackground(grey) {
  const light = background(grey).pixels;
  return mapped(grey, (value, i) => rounded(value - light[i]));
}

const smoothed = (flat, radius) => mapped(windowMeans(flat, radius), (mean) => rounded(mean));

/** Look for what is lighter than what is around it. */
function lookFor(flat, isLight) {
  const widest = WIDEST_OF_PICTURE * Math.max(flat.width, flat.height);
  const { ink, noise } = aboveBackground(flat, widest);
  const trace = Math.max(CERTAIN * noise, TRACE * fullest(ink.pixels));
  const { mask: without, lines } = withoutLines(masked(ink, (value) => value > trace));
  const full = fullest(ink.pixels.map((value, i) => (without.pixels[i] ? value : 0)));
  const limit = Math.max(CERTAIN * noise, FOUND * full);
  const mask = masked(ink, (value, i) => without.pixels[i] && value > limit);
  for (const each of [withoutSurroundings(mask), mask]) {
    const thing = largest(each, ink.pixels);
    if (thing && full >= INVISIBLE && standsOut(ink.pixels, thing.mask, full)) {
      return { ink, thing, full, isLight, lines };
    }
  }
  return { ink, thing: null, full, isLight, lines };
}

/** How much lighter a picture is than what is around, and the standard deviation of its noise. */
function aboveBackground(flat, widest) {
  const filled = closing(mapped(flat, (value) => -value), Math.floor(widest / 2)).pixels;
  const above = mapped(flat, (value, i) => filled[i] + value);
  const middle = median(above.pixels);
  const ink = mapped(above, (value) => value - middle);
  return { ink, noise: spread(ink.pixels) };
}

/** Whether there is an edge around what was found: uneven light has none. At the picture's border
 * the edge must be steeper, unless what was found fills most of the picture. */
function standsOut(ink, mask, full) {
  const box = boundsOf(mask);
  const area = (box.right - box.left) * (box.bottom - box.top);
  const isCutOff = isAtBorder(box, mask) && area < ink.length / 2;
  const reach = Math.max(2, Math.floor((isCutOff ? NARROW_RING : RING) * sideOf(box)));
  const near = windowMaxima(mask, reach, reach);
  const isAround = (i) => near.pixels[i] && !mask.pixels[i];
  const inside = meanOf(ink.filter((_, i) => mask.pixels[i]));
  const around = ink.filter((_, i) => isAround(i));
  return around.length > 0 && inside - meanOf(around) >= STEP * full;
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Grey levels of full ink, as far as can be known before it is found. */
function fullest(ink) {
  const rank = Math.max(1, Math.min(LEAST, Math.floor(ink.length / LEAST)));
  return ranked(ink, ink.length - rank);
}

/** Separate the ink that was found from all else; null if there is none. */
function lookClosely(grey, box, around, seen) {
  const scale = Math.max(grey.width, grey.height) / sideOf(around);
  const flat = mapped(withoutBackground(grey), (value) => (seen.isLight ? value : -value));
  const inside = rectangle(grey, box, around, scale).pixels;
  const widest = scale * WIDEST_OF_INK * sideOf(box);
  let ink;
  let noise;
  let full;
  for (const radius of [0, 1, 2]) { // smoothed only as far as there is noise
    ({ ink, noise } = aboveBackground(smoothed(flat, radius), widest));
    full = fullest(ink.pixels.map((value, i) => (inside[i] ? value : 0)));
    if (noise <= CALM * full) break;
  }
  if (full <= 0) return null;
  const inked = ink.pixels.filter((value, i) => inside[i] && value > full / 2);
  const least = meanOf(inked) / 2;
  const strokes = inked.filter((value) => value > least);
  full = ranked(strokes, Math.floor(FULL * strokes.length));
  noise = Math.min(noise, full / (2 * LIKELY)); // half of the full ink is ink, however noisy
  const limit = Math.max(LIKELY * noise, EDGE * full);
  let mask = masked(ink, (value) => value > limit);
  if (seen.lines.across || seen.lines.down) {
    const traces = masked(ink, (value) => value > 0.6 * limit);
    const without = withoutLines(traces, seen.lines).mask.pixels;
    mask = masked(mask, (value, i) => value && without[i]);
  }
  const thing = largest(mask, ink.pixels.map((value, i) => value * inside[i]));
  if (!thing) return null;
  const near = windowMaxima(thing.mask, 1, 1).pixels; // with its soft edge, without lines
  const share = mapped(ink, (value, i) => {
    if (!near[i] || !(mask.pixels[i] || value <= limit)) return 0;
    return Math.min(Math.max((value - NOISE * noise) / (full - NOISE * noise), 0), 1);
  });
  const outline = masked(share, (value, i) => thing.mask.pixels[i] && value >= OUTLINE);
  if (!outline.pixels.includes(1)) return null;
  return { ink: inBytes(mapped(share, (value) => 255 * value)), outline };
}

/** Scale ink, of which so many pixels become one, and place its centre of mass in the middle. */
function centred(ink, step) {
  let [mass, momentX, momentY] = [0, 0, 0];
  ink.pixels.forEach((value, i) => {
    mass += value;
    momentX += value * ((i % ink.width) + 0.5);
    momentY += value * (Math.floor(i / ink.width) + 0.5);
  });
  const left = Math.floor(momentX / mass - ((WIDTH + 1) / 2) * step + 0.5);
  const top = Math.floor(momentY / mass - ((HEIGHT + 1) / 2) * step + 0.5);
  return imageOf(ink, left, top, step);
}

/** The image of a part of a picture, of which so many pixels become one. */
function imageOf(picture, left, top, step) {
  const place = { left, top, right: left + step * WIDTH, bottom: top + step * HEIGHT };
  return inBytes(boxMeans(picture, place, WIDTH, HEIGHT)).pixels;
}

/** Whether a box reaches the border of a picture, whose last pixels the smoothing may pale. */
function isAtBorder({ left, top, right, bottom }, { width, height }) {
  const near = Math.min(width, height) >= SMALL ? 1 : 0;
  return left <= near || top <= near || right >= width - near || bottom >= height - near;
}

function blankPreparation(small) {
  const nothing = mapped(small, () => 0, Uint8Array);
  return {
    grey: inBytes(small),
    flattened: nothing,
    mask: nothing.pixels,
    box: null,
    ink: nothing,
    image: new Uint8Array(WIDTH * HEIGHT),
    warnings: [NOTHING],
  };
}

const inBytes = (picture) => mapped(
  picture,
  (value) => Math.floor(Math.min(Math.max(value, 0), 255) + 0.5),
  Uint8Array,
);
