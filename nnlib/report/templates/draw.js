// The evidence of a prediction, and the panel to draw in, which picture.js shows pictures in. Without
// a network in the page (see nnlib/report/explorer.py) there is neither.

const UNITS = 5; // listed: those with the largest parts
const ORANGE = [230, 159, 0]; // evidence for
const BLUE = [0, 114, 178]; // evidence against
const GREEN = [49, 148, 79]; // weights above 0
const PURPLE = [150, 88, 178]; // weights below 0
const GREY = [128, 128, 128]; // ink
const STROKE = { pencil: 0.085, eraser: 0.12 }; // widths, as shares of the drawing's shorter side
const MNIST_STROKE = 2.4; // pixels: the median width of the strokes in MNIST's images
const TAP = 4; // dots: lines that span less are a dot
// Bits of a pointer event's buttons: the mouse's left one, a finger or a pen; a pen's eraser end.
const DRAWS = 1;
const ERASES = 32;
const UNDO = 50; // steps that can be undone

const { width: WIDTH, height: HEIGHT, box: BOX, inverted: INVERTED } = payload;
// Dots of the drawing along a pixel's side.
const ZOOM = Math.max(1, Math.round(280 / Math.max(WIDTH, HEIGHT)));
const INK_WIDTH = WIDTH * ZOOM;
const INK_HEIGHT = HEIGHT * ZOOM;
const WHOLE = { left: 0, top: 0, right: INK_WIDTH, bottom: INK_HEIGHT };
const STROKE_WIDTHS = Object.fromEntries( // in dots
  Object.entries(STROKE).map(([tool, share]) => [tool, share * Math.min(INK_WIDTH, INK_HEIGHT)]),
);

const signed = (number) => `${number < 0 ? "-" : "+"}${Math.abs(number).toFixed(2)}`;

/** Paint a picture from the colour and the opacity, from 0 to 1, of each pixel. */
function paint(canvas, colourOf) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const picture = new ImageData(WIDTH, HEIGHT);
  for (let p = 0; p < WIDTH * HEIGHT; p++) {
    const [colour, opacity] = colourOf(p);
    picture.data.set([...colour, Math.round(255 * opacity)], 4 * p);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

function paintEvidence(canvas, parts, pixels) {
  const most = parts.reduce((largest, part) => Math.max(largest, Math.abs(part)), 0) || 1;
  paint(canvas, (p) => {
    const front = Math.abs(parts[p]) / most;
    const back = 0.35 * (pixels[p] / 255) * (1 - front); // the ink behind, as far as it is seen
    const colour = parts[p] < 0 ? BLUE : ORANGE;
    const opacity = front + back || 1e-9;
    const mixed = colour.map((value, i) => (front * value + back * GREY[i]) / opacity);
    return [mixed, opacity];
  });
  return most;
}

function paintWeights(canvas, unit, id = "network") {
  const { W1, H } = network(id);
  let most = 1e-30;
  for (let i = unit; i < W1.length; i += H) most = Math.max(most, Math.abs(W1[i]));
  paint(canvas, (p) => {
    const weight = W1[p * H + unit];
    return [weight < 0 ? PURPLE : GREEN, Math.abs(weight) / most];
  });
}

/** Which classes the evidence is about: the predicted one, and the actual one or, if that is the
 * same or there is none, the second. */
function usualPair({ ranked: [predictedClass, second] }, actualClass) {
  const isWrong = actualClass !== null && actualClass !== predictedClass;
  return [predictedClass, isWrong ? actualClass : second];
}

function activationText({ id, rise }, unit) {
  const { z0 } = network(id);
  const blank = z0[unit].toFixed(2);
  return `activation ${(z0[unit] + rise[unit]).toFixed(2)} (blank image: ${blank})`;
}

/** Put the evidence into a place of the page; returns what shows it for the pixels of an image, and
 * its actual class if it has one. */
function evidencePanel(place) {
  place.append(document.getElementById("evidence-template").content.cloneNode(true));
  const part = (name) => place.querySelector(`.evidence-${name}`);
  for (const select of [part("for"), part("against")]) {
    select.append(...called.map((name, label) => element("option", name, { value: label })));
    select.addEventListener("change", () => update());
  }
  part("of-which").hidden = !second;
  if (second) {
    part("of").append(element("option", second.name, { value: "second" }));
    part("of").addEventListener("change", () => show(seen.pixels, actualClass));
  }
  let seen;
  let actualClass;
  const usual = part("against").firstElementChild; // there where there is an actual class
  const links = Array.from({ length: Math.min(UNITS, network().H) }, () => {
    const link = element("a", "");
    link.append(element("canvas", "", { "aria-hidden": "true" }), element("span", ""));
    const item = element("li", "");
    item.append(link);
    part("units").append(item);
    return link;
  });

  /** Offer to compare with the actual class where there is one; it is chosen at first. */
  function offerActual() {
    const against = part("against");
    if (actualClass === null) usual.remove();
    else if (!usual.isConnected) {
      against.prepend(usual);
      if (against.value === "second") against.value = "usual";
    }
  }

  function classes() {
    const [predictedClass, compared] = usualPair(seen, actualClass);
    const [, second] = seen.ranked;
    const choices = { predicted: predictedClass, usual: compared, second };
    const chosen = ({ value }) => choices[value] ?? (value in choices ? undefined : Number(value));
    return [chosen(part("for")), chosen(part("against"))];
  }

  /** Show the parts of the evidence and their sum as bars, to the right those for the class. */
  function showParts(...sums) {
    const most = Math.max(...sums.map(Math.abs)) || 1;
    sums.forEach((sum, row) => {
      const [, number, place] = part("parts").rows[row].cells;
      const bar = element("span", "", { class: `part ${sum < 0 ? "against" : "for"}` });
      bar.style.setProperty("--share", Math.abs(sum) / most);
      number.textContent = signed(sum);
      place.replaceChildren(bar);
    });
  }

  function update() {
    const [c, k] = classes();
    const isComparison = c !== k && k !== undefined;
    for (const each of ["body", "parts"]) part(each).hidden = !isComparison;
    if (!isComparison) {
      part("sum").textContent = `Choose two different ${payload.nouns}.`;
      return;
    }
    const units = unitEvidence(seen, c, k);
    const all = units.reduce((sum, each) => sum + each);
    const { blank, H } = network(seen.id);
    const before = blank[c] - blank[k];
    part("sum").replaceChildren(
      element("strong", `${called[c]} against ${called[k]}: ${signed(before + all)} nats.`),
      ` The pixels add ${signed(all)} to the ${signed(before)} of a blank image.`,
    );
    showParts(before, all, before + all);
    const most = paintEvidence(part("pixels"), pixelEvidence(seen, c, k), seen.pixels);
    const what = `Evidence of the pixels for ${called[c]} against ${called[k]}`;
    part("pixels").setAttribute("aria-label", what);
    part("scale").textContent = `Orange is evidence for ${called[c]}, blue for ${called[k]}; `
      + `full colour is ${most.toPrecision(2)} nats.`;

    const sizes = units.map(Math.abs);
    const order = Array.from(units.keys()).sort((a, b) => sizes[b] - sizes[a] || a - b);
    const isFirst = seen.id === "network"; // of the second's units there is no more to see
    links.forEach((link, i) => {
      const unit = order[i];
      link.parentElement.hidden = unit === undefined;
      if (unit === undefined) return;
      paintWeights(link.firstChild, unit, seen.id);
      if (isFirst) link.href = addressOf({ ...state, unit: String(unit) });
      else link.removeAttribute("href");
      setCurrent(link, isFirst && String(unit) === state.unit);
      link.lastChild.replaceChildren(
        `unit ${unit}: ${signed(units[unit])} `,
        element("span", activationText(seen, unit), { class: "quiet" }),
      );
    });
    const rest = order.slice(links.length).reduce((sum, unit) => sum + units[unit], 0);
    const others = H - links.length;
    part("others").textContent = others > 0 ? `The ${others} other units: ${signed(rest)}.` : "";
  }

  function show(pixels, nowActual) {
    seen = look(pixels, part("of").value);
    actualClass = nowActual;
    offerActual();
    update();
  }

  return show;
}

// A drawing is its strokes: each a tool, and the places where the pointer was, in dots. The ink that
// they leave is a byte for each dot, row by row: 0 where there is none, 255 where there is most. The
// canvas only shows it, as what is read from a canvas is not always what was drawn there.

const pictureOf = (ink) => ({ pixels: ink, width: INK_WIDTH, height: INK_HEIGHT });

/** Draw a straight line with round ends into the ink, as far as it lies in a frame. */
function drawLine(ink, [x0, y0], [x1, y1], width, tool, frame) {
  const reach = width / 2 + 0.5; // to the middle of dots that are touched
  const left = Math.max(frame.left, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(frame.right, Math.ceil(Math.max(x0, x1) + reach));
  const top = Math.max(frame.top, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(frame.bottom, Math.ceil(Math.max(y0, y1) + reach));
  const [alongX, alongY] = [x1 - x0, y1 - y0];
  const square = alongX ** 2 + alongY ** 2;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [fromX, fromY] = [x + 0.5 - x0, y + 0.5 - y0];
      const nearest = square && Math.min(Math.max((fromX * alongX + fromY * alongY) / square, 0), 1);
      const distance = Math.sqrt(
        (fromX - nearest * alongX) ** 2 + (fromY - nearest * alongY) ** 2,
      );
      const covered = Math.round(255 * Math.min(Math.max(reach - distance, 0), 1)); // of the dot
      const i = y * INK_WIDTH + x;
      ink[i] = tool === "eraser" ? Math.min(ink[i], 255 - covered) : Math.max(ink[i], covered);
    }
  }
}

function drawStrokes(ink, strokes, widths, frame = WHOLE) {
  for (const { tool, places } of strokes) {
    places.forEach((place, i) => { // the first alone is a dot
      drawLine(ink, places[Math.max(i - 1, 0)], place, widths[tool], tool, frame);
    });
  }
}

/** An image from strokes, prepared as MNIST was. The strokes are scaled before they are drawn, so
 * that they are as thick as MNIST's however large they were; the eraser is scaled with them, as it
 * has to erase the same parts. */
function preparedStrokes(strokes) {
  const ink = new Uint8Array(INK_WIDTH * INK_HEIGHT);
  drawStrokes(ink, strokes, { ...STROKE_WIDTHS, pencil: 1 }); // to see what is left of the lines
  const bounds = boundsOf(pictureOf(ink));
  ink.fill(0);
  if (!bounds) return prepared(ink);
  const { left, top, right, bottom } = bounds;
  const span = Math.max(right - left, bottom - top) - 2; // less the dots that the edges touch
  const isDot = span < TAP;
  const pencil = MNIST_STROKE * ZOOM;
  const scale = isDot ? 1 : (BOX * ZOOM - pencil) / span;
  const moved = ([x, y]) => [
    (x - (left + right) / 2) * scale + INK_WIDTH / 2,
    (y - (top + bottom) / 2) * scale + INK_HEIGHT / 2,
  ];
  // A line may leave the canvas, and is not seen there.
  const [frameLeft, frameTop] = moved([0, 0]);
  const [frameRight, frameBottom] = moved([INK_WIDTH, INK_HEIGHT]);
  const frame = {
    left: Math.max(0, Math.floor(frameLeft - pencil / 2)),
    top: Math.max(0, Math.floor(frameTop - pencil / 2)),
    right: Math.min(INK_WIDTH, Math.ceil(frameRight + pencil / 2)),
    bottom: Math.min(INK_HEIGHT, Math.ceil(frameBottom + pencil / 2)),
  };
  const scaled = strokes.map(({ tool, places }) => ({ tool, places: places.map(moved) }));
  drawStrokes(ink, scaled, { pencil, eraser: STROKE_WIDTHS.eraser * scale }, frame);
  return prepared(ink, isDot ? ZOOM : undefined);
}

/** An image from a drawing, prepared as LeCun, Cortes and Burges, "The MNIST database", describe
 * it: the ink is scaled to fit into a box, and moved by whole pixels so that its centre of mass is
 * in the middle. How many dots become a pixel's side can be given instead. */
function prepared(ink, dots) {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const bounds = boundsOf(pictureOf(ink));
  if (!bounds) return pixels;
  const { left, top, right, bottom } = bounds;
  const step = dots ?? Math.max(right - left, bottom - top) / BOX;
  const columns = Math.ceil((right - left) / step - 1e-9); // less what rounding may add
  const rows = Math.ceil((bottom - top) / step - 1e-9);
  const cells = { left, top, right: left + step * columns, bottom: top + step * rows };
  const means = boxMeans(pictureOf(ink), cells, columns, rows).pixels;
  let mass = 0;
  let momentX = 0;
  let momentY = 0;
  means.forEach((mean, i) => {
    mass += mean;
    momentX += mean * (i % columns);
    momentY += mean * Math.floor(i / columns);
  });
  // Every image of MNIST's test set has its centre of mass within half a pixel of (14, 14), counted
  // from the middle of the first pixel.
  const x = Math.round(WIDTH / 2 - momentX / mass);
  const y = Math.round(HEIGHT / 2 - momentY / mass);
  means.forEach((mean, i) => {
    const column = x + (i % columns);
    const row = y + Math.floor(i / columns);
    const isInside = column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT;
    if (isInside) pixels[row * WIDTH + column] = Math.round(mean);
  });
  return pixels;
}

/** Set up the panel to draw in; returns what shows other things in it. */
function drawPanel() {
  const panel = document.getElementById("draw");
  const part = (name) => document.getElementById(`draw-${name}`);
  const canvas = part("canvas");
  const ink = new Uint8Array(INK_WIDTH * INK_HEIGHT);
  let drawing = { base: null, strokes: [] }; // on top of an image, if there is one
  const steps = []; // what can be undone
  let origin = null; // the index of the sample that the drawing began as
  let picture = null; // shown in place of the drawing: its image, or else why there is none
  let pointer = null; // the one that draws: its id, its type and its stroke
  let showDrawnEvidence;
  let isDue = false;

  function setDrawing(base, strokes) {
    pointer = null; // its stroke is over
    drawing = { base, strokes };
    ink.forEach((_, i) => {
      const row = Math.floor(i / INK_WIDTH / ZOOM);
      ink[i] = base ? base[row * WIDTH + Math.floor((i % INK_WIDTH) / ZOOM)] : 0;
    });
    drawStrokes(ink, strokes, STROKE_WIDTHS);
  }

  /** What the network gets of the drawing. */
  function image() {
    if (!part("prepare").checked) {
      return Uint8Array.from(boxMeans(pictureOf(ink), WHOLE, WIDTH, HEIGHT).pixels, Math.round);
    }
    return drawing.base ? prepared(ink) : preparedStrokes(drawing.strokes);
  }

  function update() {
    isDue = false;
    part("undo").setAttribute("aria-disabled", String(steps.length === 0));
    paintImage(canvas, ink, INK_WIDTH);
    part("drawing").hidden = picture !== null;
    part("picture").hidden = picture === null;
    part("evidence-heading").textContent = `Evidence of the ${picture ? "picture" : "drawing"}`;
    if (!panel.open) return;
    if (picture) {
      showAnswer(picture.image, picture.reason, null);
      return;
    }
    const pixels = image();
    const isEmpty = pixels.every((pixel) => pixel === 0);
    const wanted = `Draw one of the ${names.length} ${payload.nouns}.`;
    showAnswer(isEmpty ? null : pixels, wanted, origin);
  }

  /** Show what the network makes of an image, and which sample that began as, if it did. Without an
   * image, say why there is none. */
  function showAnswer(pixels, reason, index) {
    paintImage(part("image"), pixels ?? new Uint8Array(PIXELS));
    for (const each of ["prediction", "evidence"]) part(each).hidden = !pixels;
    if (!pixels) {
      part("result").replaceChildren(element("strong", reason));
      return;
    }
    const seen = look(pixels);
    const name = called[seen.ranked[0]];
    const actualClass = index === null ? null : actual[index];
    const start = index === null
      ? ""
      : ` It began as index ${index}, actual ${called[actualClass]}.`;
    const prediction = `Predicted: ${name}, ${percent(seen.y[seen.ranked[0]])}.`;
    part("result").replaceChildren(element("strong", prediction), start);
    const answers = { trained: seen.y };
    if (second) {
      const { y, ranked: [c] } = look(pixels, "second");
      part("result").append(` By ${second.name}: ${called[c]}, ${percent(y[c])}.`);
      answers.second = y;
    }
    setRows(part("probabilities"), names.map((_, c) => {
      const row = element("tr", "");
      row.append(headOf(c), ...probabilityCells(answers, c));
      return row;
    }), seen.y);
    showDrawnEvidence ??= evidencePanel(part("evidence"));
    showDrawnEvidence(pixels, actualClass);
  }

  function updateSoon() { // once a frame, however often the pointer moves
    if (!isDue) requestAnimationFrame(update);
    isDue = true;
  }

  function remember() {
    setText("draw-note", ""); // which was about a picture
    steps.push({ drawing, origin, isPrepared: part("prepare").checked });
    if (steps.length > UNDO) steps.shift();
  }

  function undo() {
    const step = steps.pop();
    if (!step) return;
    setDrawing(step.drawing.base, step.drawing.strokes);
    origin = step.origin;
    part("prepare").checked = step.isPrepared;
    update();
  }

  function clear() {
    remember();
    setDrawing(null, []);
    origin = null;
    part("prepare").checked = BOX !== null;
    update();
  }

  /** Move what the network gets by a pixel; where it was prepared, that becomes the drawing, as the
   * preparation would undo the shift. */
  function shift(x, y) {
    const before = image();
    if (before.every((pixel) => pixel === 0)) return; // what comes will be prepared
    remember();
    part("prepare").checked = false;
    setDrawing(before.map((_, p) => {
      const column = (p % WIDTH) - x;
      const row = Math.floor(p / WIDTH) - y;
      const isInside = column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT;
      return isInside ? before[row * WIDTH + column] : 0;
    }), []);
    update();
  }

  /** Draw on an image: that of a sample by its index, or another one, whose index is null. */
  function change(pixels, index) {
    panel.open = true;
    picture = null;
    remember();
    setDrawing(pixels, []);
    origin = index;
    part("prepare").checked = false; // so that it begins as the image is
    update();
  }

  /** Show a picture in place of the drawing, or for null the drawing again. */
  function showPicture(shown) {
    if (shown) panel.open = true;
    picture = shown;
    update();
  }

  /** Scroll to the panel unless what is drawn or taken is on the screen. */
  function bring() {
    const { top, bottom } = part("columns").firstElementChild.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) panel.scrollIntoView();
  }

  function placeOf({ clientX, clientY }) {
    const frame = canvas.getBoundingClientRect();
    return [
      ((clientX - frame.left) * canvas.width) / frame.width,
      ((clientY - frame.top) * canvas.height) / frame.height,
    ];
  }

  function strokeTo(place) {
    const { tool, places } = pointer.stroke;
    places.push(place);
    drawLine(ink, places[Math.max(places.length - 2, 0)], place, STROKE_WIDTHS[tool], tool, WHOLE);
    updateSoon();
  }

  /** Whether the pointer that draws has stayed where it came down. */
  function isResting() {
    const { tool, places: [[x, y], ...others] } = pointer.stroke;
    return others.every((place) => (
      Math.hypot(place[0] - x, place[1] - y) < STROKE_WIDTHS[tool]
    ));
  }

  /** Whether a pointer may begin a stroke. It takes over from another one that seems to draw, unless
   * it is itself the palm of a hand that draws. */
  function begins({ buttons, pointerId, pointerType, isPrimary }) {
    if (!(buttons & (DRAWS | ERASES))) return false;
    if (pointer === null || pointer.id === pointerId) return true;
    // Of its type a primary one is alone: the other one is gone, and the news of that was lost.
    if (pointerType === pointer.type && isPrimary) return true;
    if (pointerType === "touch") {
      if (pointer.type === "pen") return false;
      if (pointer.type === "touch" && !isResting()) return false;
    }
    if (pointer.type === "touch" && pointerType !== "mouse") undo(); // a palm's stroke
    return true;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!begins(event)) return;
    const chosen = panel.querySelector("[name=tool]:checked").value;
    const tool = event.buttons & ERASES ? "eraser" : chosen;
    const stroke = { tool, places: [] };
    remember();
    drawing = { ...drawing, strokes: [...drawing.strokes, stroke] };
    pointer = { id: event.pointerId, type: event.pointerType, stroke };
    canvas.setPointerCapture(event.pointerId);
    strokeTo(placeOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer?.id) return;
    if (!(event.buttons & (DRAWS | ERASES))) { // it went up, and that was lost
      pointer = null;
      return;
    }
    // Not every browser has them, and some only have them in pages from HTTPS or a file.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of [...passed, event]) strokeTo(placeOf(each));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId === pointer?.id) pointer = null;
    });
  }
  part("undo").addEventListener("click", undo);
  part("clear").addEventListener("click", clear);
  part("prepare").addEventListener("change", update);
  for (const button of panel.querySelectorAll("[data-shift]")) {
    button.addEventListener("click", () => shift(...button.dataset.shift.split(" ").map(Number)));
  }
  panel.addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
    if (!isUndo || picture) return;
    event.preventDefault();
    undo();
  });
  panel.addEventListener("toggle", () => {
    update();
    if (panel.open) bring();
  });
  if (second) {
    const table = part("probabilities").parentElement;
    table.classList.add("two");
    const head = table.createTHead().insertRow();
    const cells = [payload.noun, "trained", second.name];
    head.append(...cells.map((name) => element("th", name, { scope: "col" })));
  }
  update();
  return { change, image, showPicture, bring };
}

const drawn = document.getElementById("network") && drawPanel();
let showSampleEvidence;

/** Show the evidence of the sample that is open; its index is empty where none is. */
function showEvidence(index) {
  const section = document.getElementById("evidence");
  if (!section) return;
  section.hidden = index === "";
  if (section.hidden) return;
  showSampleEvidence ??= evidencePanel(section);
  showSampleEvidence(pixelsOf(Number(index)), actual[Number(index)]);
}

document.getElementById("change")?.addEventListener("click", () => {
  const index = Number(state.index);
  drawn.change(pixelsOf(index), index);
  const summary = document.querySelector("#draw summary");
  summary.focus();
  summary.scrollIntoView();
});
