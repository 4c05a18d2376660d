// Pictures of one's own, in the panel to draw in: taken, decoded by the browser, prepared as the
// images were, and shown with each step. What is used here works in pages from a file or from HTTP
// too, and in browsers of some age.

const MOST_PIXELS = 89478485; // of a picture; Pillow refuses larger ones too
const MOST_ON_CANVAS = 2 ** 24; // pixels: an iPhone has no larger canvas
const SLIGHT = 3; // levels of 255, by which a browser may change a picture without harm
// Brands of ISO 23008-12.
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"];
const SAVE = "save it as JPEG or PNG";

/** A picture that cannot be read; the message says why not, and what to do. */
class UnreadableError extends Error {}

/** Why a file cannot be decoded, by its first bytes, and what to do. */
function reasonOf(start) {
  const text = String.fromCharCode(...start);
  if (text.slice(4, 8) === "ftyp" && HEIC.includes(text.slice(8, 12))) {
    return "a HEIC picture: save or share it as JPEG (on an iPhone: Settings, Camera, Formats, "
      + "Most Compatible)";
  }
  if (["II*\0", "MM\0*"].includes(text.slice(0, 4))) return `a TIFF picture: ${SAVE}`;
  if (/^(\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF.{4}WEBP)/s.test(text)) {
    return `the picture is broken, or this browser does not know its kind: ${SAVE}`;
  }
  return `no picture that is known here: ${SAVE}`;
}

/** The first bytes of a file. */
function startOf(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader(); // as Blob.arrayBuffer is missing in older browsers
    reader.onload = () => resolve(new Uint8Array(reader.result));
    reader.onerror = () => reject(new UnreadableError("a folder, or a file that is gone"));
    reader.readAsArrayBuffer(file.slice(0, 12));
  });
}

/** Load a picture from its address; of its pixels, only the number is known then. */
function loaded(address) {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => resolve(picture);
    picture.onerror = reject;
    picture.src = address;
  });
}

/** Whether all of a picture can be decoded, if the browser can say so: it shows a part as well. */
async function isWhole(file) {
  if (!window.createImageBitmap) return true;
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

/** Decode a picture: its pixels as bytes of red, green, blue and opacity, upright as its file says.
 *
 * A large one is scaled, as a canvas cannot hold it. A canvas multiplies colours by their opacity:
 * those of pixels that can hardly be seen come back rounded. */
function pixelsOfPicture(picture) {
  const { naturalWidth, naturalHeight } = picture;
  const scale = Math.min(1, Math.sqrt(MOST_ON_CANVAS / (naturalWidth * naturalHeight)));
  const canvas = document.createElement("canvas");
  const width = Math.max(1, Math.floor(scale * naturalWidth));
  const height = Math.max(1, Math.floor(scale * naturalHeight));
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return { pixels: context.getImageData(0, 0, width, height).data, width, height };
}

/** By how many levels what is read from a canvas is off, at most: against tracking, some browsers
 * add noise or give something else. */
function offOnCanvas() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pattern = new ImageData(64, 64);
  const { data } = pattern;
  data.forEach((_, i) => { data[i] = i % 4 === 3 ? 255 : (37 * i) % 256; });
  canvas.width = pattern.width;
  canvas.height = pattern.height;
  context.putImageData(pattern, 0, 0);
  const read = context.getImageData(0, 0, pattern.width, pattern.height).data;
  return read.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i])), 0);
}

/** What a file shows, and how it looks to the network. */
async function readPicture(file, address) {
  const start = await startOf(file);
  const picture = await loaded(address).catch(() => null);
  if (!picture || !picture.naturalWidth) throw new UnreadableError(reasonOf(start));
  if (picture.naturalWidth * picture.naturalHeight > MOST_PIXELS) {
    const most = Math.floor(MOST_PIXELS / 1e6);
    throw new UnreadableError(`more than ${most} megapixels: save it smaller`);
  }
  const off = offOnCanvas();
  if (off > SLIGHT) {
    throw new UnreadableError(
      "against tracking, this browser changes what a page reads of a picture: allow this page to "
      + "read from a canvas (in Firefox in the address bar, in Brave under Shields), or open it in "
      + "another browser",
    );
  }
  const pixels = pixelsOfPicture(picture);
  const prepared = BOX === null
    ? { image: scaledPicture(pixels), box: null, warnings: [] }
    : preparePicture(pixels);
  const warnings = [...prepared.warnings];
  const isFound = BOX === null || prepared.box !== null;
  if (!await isWhole(file)) warnings.push("the file may be broken or cut off");
  if (off > 0) {
    warnings.push(
      "against tracking, this browser changes what a page reads of a picture, by up to "
      + `${off} of 255 levels, which hardly changes the answer`,
    );
  }
  return { ...prepared, warnings, isFound, width: pixels.width, height: pixels.height };
}

/** The sample that is nearest to an image, and the square of its distance in grey levels. */
function nearestSample(pixels) {
  let [index, least] = [0, Infinity];
  for (let sample = 0; sample < payload.samples; sample++) {
    let square = 0;
    for (let p = 0; p < PIXELS && square < least; p++) {
      square += (images[sample * PIXELS + p] - pixels[p]) ** 2;
    }
    if (square < least) [index, least] = [sample, square];
  }
  return { index, square: least };
}

/** Set up what takes pictures. */
function pictureTaker() {
  const panel = document.getElementById("draw");
  const part = (name) => document.getElementById(`draw-${name}`);
  let turns = 0; // how many pictures were taken, as a later one may be read first
  let address; // of the picture that is shown
  let image; // of it

  function say(text) {
    setText("draw-note", text);
  }

  function showSteps({ box, flattened, ink, width, height }) {
    part("photo").src = address;
    part("frame").hidden = !box;
    part("found").textContent = `The picture${box ? ", and in the frame what was found" : ""}`;
    for (const name of ["flattened", "ink"]) part(`${name}-step`).hidden = !box;
    if (!box) return;
    const { style } = part("frame");
    style.left = `${(100 * box.left) / width}%`;
    style.top = `${(100 * box.top) / height}%`;
    style.width = `${(100 * (box.right - box.left)) / width}%`;
    style.height = `${(100 * (box.bottom - box.top)) / height}%`;
    paintImage(part("flattened"), flattened.pixels, flattened.width);
    paintImage(part("ink"), ink.pixels, ink.width);
  }

  function showNearest(index) {
    drawSample(part("nearest"), index);
    const link = part("nearest-link");
    link.textContent = `#${index}, ${called[actual[index]]}`;
    link.href = addressOf({ ...state, ...NOTHING_OPEN, index: String(index) });
  }

  function show(read, note) {
    const warnings = [...read.warnings];
    image = read.isFound ? read.image : null;
    showSteps(read);
    part("nearest-step").hidden = !image;
    part("picture-change").hidden = !image;
    if (image) {
      const { index, square } = nearestSample(image);
      showNearest(index);
      if (payload.unlike !== null && square > payload.unlike) {
        warnings.push(`unlike all ${payload.items} here`);
      }
    }
    const reason = `No answer: ${warnings.join("; ")}.`;
    say(note + (image && warnings.length ? `Warning: ${warnings.join("; ")}.` : ""));
    drawn.showPicture({ image, reason });
    drawn.bring();
  }

  /** Take the first of some files. */
  async function take(files) {
    const [file] = files;
    const note = files.length > 1 ? `Of ${files.length} files, ${file.name} was taken. ` : "";
    turns += 1;
    const turn = turns;
    panel.open = true;
    drawn.showPicture(null);
    say("Reading the picture ...");
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(file);
    try {
      const read = await readPicture(file, address);
      if (turn === turns) show(read, note);
    } catch (error) {
      if (turn !== turns) return;
      say(`${note}${file.name} cannot be read: ${error.message}.`);
      if (!(error instanceof UnreadableError)) throw error;
    }
  }

  /** Go back to the drawing. */
  function close() {
    say("");
    drawn.showPicture(null);
    part("canvas").focus();
  }

  for (const input of panel.querySelectorAll("[data-takes]")) {
    input.addEventListener("change", () => {
      if (input.files.length) take([...input.files]);
      input.value = ""; // so that the same file can be taken again
    });
  }
  panel.addEventListener("dragover", (event) => {
    event.preventDefault();
    panel.classList.add("dropping");
  });
  panel.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!panel.contains(relatedTarget)) panel.classList.remove("dropping");
  });
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("dropping");
    const { files } = event.dataTransfer;
    if (files.length) take([...files]);
    else {
      panel.open = true;
      say("That is a link or a text, and no file: save the picture, and drop its file.");
    }
  });
  for (const kind of ["dragover", "drop"]) { // beside the panel, a file would replace this page
    document.addEventListener(kind, (event) => {
      if ([...event.dataTransfer.types].includes("Files")) event.preventDefault();
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!panel.getClientRects().length) return; // during a quiz
    if (files.length) {
      event.preventDefault();
      take(files);
    } else if (isSeen(panel) && !event.target.closest("input, select")) {
      say("The clipboard holds no picture.");
    }
  });
  part("picture-change").addEventListener("click", () => {
    drawn.change(image, null);
    close();
  });
  part("picture-close").addEventListener("click", close);
}

if (drawn) pictureTaker();
