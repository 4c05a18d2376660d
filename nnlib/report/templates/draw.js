// The evidence of a prediction, and the panel to draw in. Without a network in the page (see
// nnlib/report/explorer.py) there is neither.

const UNITS = 5; // listed: those with the largest parts
const ORANGE = [230, 159, 0]; // for; weights above 0
const BLUE = [0, 114, 178]; // against
const PURPLE = [118, 92, 178]; // weights below 0
const GREY = [128, 128, 128]; // ink
const STROKE = { pencil: 0.085, eraser: 0.12 }; // widths, as shares of the drawing's shorter side
const UNDO = 50; // steps that can be undone

const { width: WIDTH, height: HEIGHT, box: BOX } = payload;
// Dots of the drawing along a pixel's side.
const ZOOM = Math.max(1, Math.round(280 / Math.max(WIDTH, HEIGHT)));

const signed = (number) => `${number < 0 ? "-" : "+"}${Math.abs(number).toFixed(2)}`;

/** The pixels of a sample. */
function pixelsOf(index) {
  const canvas = document.createElement("canvas");
  drawSample(canvas, index);
  const { data } = canvas.getContext("2d").getImageData(0, 0, WIDTH, HEIGHT);
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, p) => data[4 * p]);
}

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

function paintWeights(canvas, unit) {
  const { W1, H } = network();
  let most = 1e-30;
  for (let i = unit; i < W1.length; i += H) most = Math.max(most, Math.abs(W1[i]));
  paint(canvas, (p) => {
    const weight = W1[p * H + unit];
    return [weight < 0 ? PURPLE : ORANGE, Math.abs(weight) / most];
  });
}

/** Which classes the evidence is about: the predicted one, and the actual one or, if that is the
 * same or there is none, the second. */
function usualPair({ ranked: [predictedClass, second] }, actualClass) {
  const isWrong = actualClass !== null && actualClass !== predictedClass;
  return [predictedClass, isWrong ? actualClass : second];
}

function activationText({ rise }, unit) {
  const { z0 } = network();
  const blank = z0[unit].toFixed(2);
  return `activation ${(z0[unit] + rise[unit]).toFixed(2)} (blank image: ${blank})`;
}

/** Put the evidence into a place of the page; returns what shows it for what the network makes of
 * an image, and its actual class if it has one. */
function evidencePanel(place) {
  place.append(document.getElementById("evidence-template").content.cloneNode(true));
  const part = (name) => place.querySelector(`.evidence-${name}`);
  for (const select of [part("for"), part("against")]) {
    select.append(...called.map((name, label) => element("option", name, { value: label })));
    select.addEventListener("change", () => update());
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

  function update() {
    const [c, k] = classes();
    const isComparison = c !== k && k !== undefined;
    part("body").hidden = !isComparison;
    if (!isComparison) {
      part("sum").textContent = `Choose two different ${payload.nouns}.`;
      return;
    }
    const units = unitEvidence(seen, c, k);
    const all = units.reduce((sum, each) => sum + each);
    const { blank, H } = network();
    const before = blank[c] - blank[k];
    part("sum").textContent = `${called[c]} against ${called[k]}: ${signed(before + all)} nats. `
      + `The pixels add ${signed(all)} to the ${signed(before)} of a blank image.`;
    const most = paintEvidence(part("pixels"), pixelEvidence(seen, c, k), seen.pixels);
    const what = `Evidence of the pixels for ${called[c]} against ${called[k]}`;
    part("pixels").setAttribute("aria-label", what);
    part("scale").textContent = `Orange is evidence for ${called[c]}, blue for ${called[k]}; `
      + `full colour is ${most.toPrecision(2)} nats.`;

    const sizes = units.map(Math.abs);
    const order = Array.from(units.keys()).sort((a, b) => sizes[b] - sizes[a] || a - b);
    links.forEach((link, i) => {
      const unit = order[i];
      paintWeights(link.firstChild, unit);
      link.href = addressOf({ ...state, unit: String(unit) });
      setCurrent(link, String(unit) === state.unit);
      link.lastChild.replaceChildren(
        `unit ${unit}: ${signed(units[unit])} `,
        element("span", activationText(seen, unit), { class: "quiet" }),
      );
    });
    const rest = order.slice(links.length).reduce((sum, unit) => sum + units[unit], 0);
    const others = H - links.length;
    part("others").textContent = others ? `The ${others} other units: ${signed(rest)}.` : "";
  }

  return (nowSeen, nowActual) => {
    seen = nowSeen;
    actualClass = nowActual;
    offerActual();
    update();
  };
}

/** Means of a drawing over square cells of `step` dots, from (left, top) on; 0 is outside. */
function cellMeans(ink, left, top, step, columns, rows) {
  const inkWidth = WIDTH * ZOOM;
  const inkHeight = HEIGHT * ZOOM;
  const across = new Float64Array(inkHeight * columns);
  for (let column = 0; column < columns; column++) {
    for (const [x, share] of overlaps(left + column * step, step, inkWidth)) {
      for (let y = 0; y < inkHeight; y++) {
        across[y * columns + column] += share * ink[y * inkWidth + x];
      }
    }
  }
  const means = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (const [y, share] of overlaps(top + row * step, step, inkHeight)) {
      for (let column = 0; column < columns; column++) {
        means[row * columns + column] += share * across[y * columns + column];
      }
    }
  }
  return means;
}

/** Which dots lie in a cell, each with its share of it. */
function overlaps(start, step, end) {
  const found = [];
  for (let dot = Math.max(0, Math.floor(start)); dot < Math.min(end, start + step); dot++) {
    const share = (Math.min(dot + 1, start + step) - Math.max(dot, start)) / step;
    if (share > 0) found.push([dot, share]);
  }
  return found;
}

/** An image from a drawing, prepared as LeCun, Cortes and Burges, "The MNIST database", describe
 * it: the ink is scaled to fit into a box, and moved by whole pixels so that its centre of mass is
 * in the middle. */
function prepared(ink) {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const bounds = boundsOf(ink);
  if (!bounds) return pixels;
  const { left, top, right, bottom } = bounds;
  const step = Math.max(right - left, bottom - top) / BOX; // dots of a pixel
  const columns = Math.ceil((right - left) / step - 1e-9); // less what rounding may add
  const rows = Math.ceil((bottom - top) / step - 1e-9);
  const means = cellMeans(ink, left, top, step, columns, rows);
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

/** The smallest box around the ink, or null. */
function boundsOf(ink) {
  const inkWidth = WIDTH * ZOOM;
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  ink.forEach((value, i) => {
    if (!value) return;
    const x = i % inkWidth;
    const y = Math.floor(i / inkWidth);
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  });
  return right < 0 ? null : { left, top, right, bottom };
}

/** Set up the panel to draw in; returns what opens it with a sample to change. */
function drawPanel() {
  const panel = document.getElementById("draw");
  const part = (name) => document.getElementById(`draw-${name}`);
  const canvas = part("canvas");
  canvas.width = WIDTH * ZOOM;
  canvas.height = HEIGHT * ZOOM;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const steps = []; // what can be undone
  let origin = null; // the index of the sample that the drawing began as
  let pointer = null; // which one draws
  let last; // where it was
  let showDrawnEvidence;
  let isDue = false;

  function fillBlank() {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, canvas.width, canvas.height);
  }

  function inkOf() {
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    const ink = new Uint8Array(data.length / 4);
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i];
    return ink;
  }

  /** What the network gets. */
  function image() {
    const ink = inkOf();
    if (part("prepare").checked) return prepared(ink);
    return Uint8Array.from(cellMeans(ink, 0, 0, ZOOM, WIDTH, HEIGHT), Math.round);
  }

  function fill(pixels) {
    pixels.forEach((pixel, p) => {
      pen.fillStyle = `rgb(${pixel} ${pixel} ${pixel})`;
      pen.fillRect((p % WIDTH) * ZOOM, Math.floor(p / WIDTH) * ZOOM, ZOOM, ZOOM);
    });
  }

  function update() {
    isDue = false;
    if (!panel.open) return;
    const pixels = image();
    const seen = look(pixels);
    paint(part("image"), (p) => [[pixels[p], pixels[p], pixels[p]], 1]);
    const name = called[seen.ranked[0]];
    const actualClass = origin === null ? null : actual[origin];
    const start = origin === null
      ? ""
      : ` It began as index ${origin}, actual ${called[actualClass]}.`;
    part("result").textContent = `Predicted: ${name}, ${percent(seen.y[seen.ranked[0]])}.${start}`;
    setRows(part("probabilities"), names.map((_, c) => {
      const row = element("tr", "");
      const bar = element("span", "", { class: "bar trained" });
      bar.style.setProperty("--probability", seen.y[c]);
      const cell = element("td", "");
      cell.append(element("span", percent(seen.y[c]), { class: "number" }), bar);
      row.append(headOf(c), cell);
      return row;
    }), seen.y);
    showDrawnEvidence ??= evidencePanel(part("evidence"));
    showDrawnEvidence(seen, actualClass);
  }

  function updateSoon() { // once a frame, however often the pointer moves
    if (!isDue) requestAnimationFrame(update);
    isDue = true;
  }

  function remember() {
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    steps.push({ picture, origin, isPrepared: part("prepare").checked });
    if (steps.length > UNDO) steps.shift();
  }

  function undo() {
    const step = steps.pop();
    if (!step) return;
    pen.putImageData(step.picture, 0, 0);
    origin = step.origin;
    part("prepare").checked = step.isPrepared;
    update();
  }

  function clear() {
    remember();
    fillBlank();
    origin = null;
    part("prepare").checked = BOX !== null;
    update();
  }

  /** Move what the network gets by a pixel; where it was prepared, that becomes the drawing, as the
   * preparation would undo the shift. */
  function shift(x, y) {
    remember();
    const before = image();
    part("prepare").checked = false;
    fill(before.map((_, p) => {
      const column = (p % WIDTH) - x;
      const row = Math.floor(p / WIDTH) - y;
      const isInside = column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT;
      return isInside ? before[row * WIDTH + column] : 0;
    }));
    update();
  }

  function change(index) {
    panel.open = true;
    remember();
    fill(pixelsOf(index));
    origin = index;
    part("prepare").checked = false; // so that it begins as the sample is
    update();
  }

  function placeOf({ clientX, clientY }) {
    const frame = canvas.getBoundingClientRect();
    return [
      ((clientX - frame.left) * canvas.width) / frame.width,
      ((clientY - frame.top) * canvas.height) / frame.height,
    ];
  }

  function strokeTo(place) {
    const tool = panel.querySelector("[name=tool]:checked").value;
    const colour = tool === "pencil" ? "white" : "black";
    const lineWidth = STROKE[tool] * Math.min(canvas.width, canvas.height);
    Object.assign(pen, { lineWidth, lineCap: "round", strokeStyle: colour, fillStyle: colour });
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...place);
    pen.stroke();
    pen.beginPath(); // a dot, where the pointer does not move
    pen.arc(...place, lineWidth / 2, 0, 2 * Math.PI);
    pen.fill();
    last = place;
    updateSoon();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    remember();
    last = placeOf(event);
    strokeTo(last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    for (const each of event.getCoalescedEvents()) strokeTo(placeOf(each));
    strokeTo(placeOf(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId === pointer) pointer = null;
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
    if (!isUndo) return;
    event.preventDefault();
    undo();
  });
  panel.addEventListener("toggle", update);
  fillBlank();
  return { change, image };
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
  showSampleEvidence(look(pixelsOf(Number(index))), actual[Number(index)]);
}

document.getElementById("change")?.addEventListener("click", () => {
  drawn.change(Number(state.index));
  const summary = document.querySelector("#draw summary");
  summary.focus();
  summary.scrollIntoView();
});
