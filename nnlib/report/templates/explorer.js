"use strict";

// The address holds the whole state: #actual=Ankle%20boot&predicted=Sneaker&index=740. Links and
// the form change the address, and each change of the address redraws the page from it. In a frame
// of another page, such as a notebook, a link may lead to that page (srcdoc) or nowhere (a
// sandboxed blob), and the address may refuse to change; so the script follows the links itself, and
// can do without the address.

const FILTERS = {
  actual: "", predicted: "", outcome: "", from: "0", to: "100", sort: "loss-descending",
};
const NO_QUIZ = { quiz: "", guesses: "" };
const NOTHING_OPEN = { index: "", unit: "", ...NO_QUIZ };
const DEFAULTS = { index: "", unit: "", ...FILTERS, ...NO_QUIZ };
const PAGE = 200; // samples shown at once
const TITLE = document.title;
const [PLACE] = location.href.split("#");
const IS_FRAMED = window !== window.parent;

const payload = JSON.parse(document.getElementById("payload").textContent);
function bytes(text) {
  const characters = atob(text);
  const codes = new Uint8Array(characters.length); // a loop: millions take a moment otherwise
  for (let i = 0; i < codes.length; i++) codes[i] = characters.charCodeAt(i);
  return codes;
}
const floats = (text) => new Float32Array(bytes(text).buffer);

/** Probabilities from what nnlib.report.explorer.packed_probabilities makes of them. */
function shares(text, isRounded = IS_MANY) {
  if (!isRounded) return floats(text);
  const numbers = new Uint16Array(bytes(text).buffer);
  // None is 0 or 1 but by rounding.
  return Float32Array.from(numbers, (n) => Math.min(Math.max(n, 0.5), 65534.5) / 65535);
}

/** What the page holds of another network's answers; null if it holds none. */
function secondNetwork() {
  const element = document.getElementById("second");
  if (!element) return null;
  const { name, ...held } = JSON.parse(element.textContent);
  return { name, predicted: bytes(held.predicted), y: shares(held.y, true) };
}

const actual = bytes(payload.actual);
const predicted = bytes(payload.predicted);
const untrainedPredicted = bytes(payload.untrainedPredicted);
// What the samples were before labels were corrected; null if that is the same.
const given = payload.given ? bytes(payload.given) : null;
const publishedIndex = payload.publishedIndex
  ? new Uint32Array(bytes(payload.publishedIndex).buffer)
  : null;
const { names } = payload;
const IS_MANY = names.length > payload.few;
const trained = shares(payload.trained);
const untrained = shares(payload.untrained);
// Letters and marks of what is written from right to left. In a sentence a name with one is set
// apart by marks of its own, as it would turn what is around it.
const RIGHT_TO_LEFT = new RegExp(
  "[\\u0590-\\u08ff\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufb1d-\\ufdff\\ufe70-\\ufeff"
  + "\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}]",
  "u",
);
const called = names.map((name) => (RIGHT_TO_LEFT.test(name) ? `\u2068${name}\u2069` : name));
const keys = {
  loss: floats(payload.loss),
  confidence: floats(payload.confidence),
  margin: floats(payload.margin),
  index: Uint32Array.from({ length: payload.samples }, (_, index) => index),
};
// The confidence stands beside the probabilities, so it must be the same to the last figure there.
predicted.forEach((label, index) => {
  trained[index * names.length + label] = keys.confidence[index];
});
const PIXELS = payload.width * payload.height; // of an image
const images = inflate(bytes(payload.images), payload.samples * PIXELS);
// The other network of a page by `make explorer`; see experiments/explorer. The page's own is called
// "trained".
const second = secondNetwork();
const form = document.getElementById("form");
const matrix = document.getElementById("matrix");

let state;
let results; // indices of the samples that the filters let through, sorted
let shown; // how many of them are on the page
let links; // to pairs of classes, with their names
let linkedSort; // the order of the samples that these links keep

// For browsers without Object.hasOwn and Array.prototype.at.
const isKey = (name, object) => Object.keys(object).includes(name);
const last = (list) => list[list.length - 1];

function percent(share) {
  const text = (100 * share).toFixed(2);
  if (share > 0 && text === "0.00") return "< 0.01%";
  if (share < 1 && text === "100.00") return "> 99.99%";
  return `${text}%`;
}

function isNumber(text) {
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text; // so that each number has one address
}

/** Set a text, and leave it alone if it is there: a live region would be read again. */
function setText(id, text) {
  const place = document.getElementById(id);
  if (place.textContent !== text) place.textContent = text;
}

/** Say what is wrong with some of the fields that a message describes, or nothing. */
function setMessage(id, text, ...wrongFields) {
  setText(id, text);
  for (const field of form.querySelectorAll(`[aria-describedby=${id}]`)) {
    if (wrongFields.includes(field)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

function addressOf(wanted) {
  const chosen = Object.entries(wanted).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(chosen)}`.replaceAll("+", "%20"); // spaces as everywhere else
}

/** Fill in the form from an address, and return the form's values and what it ignored. */
function readAddress(address) {
  const wantedValues = new URLSearchParams(address.slice(1));
  const unknown = [...wantedValues.keys()].filter((name) => !isKey(name, DEFAULTS));
  const ignored = new Set(unknown);
  const found = {};
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const field = form.elements[name];
    const wanted = wantedValues.get(name) || usual;
    const isReadable = field.type !== "number" || wanted === "" || isNumber(wanted);
    if (isReadable) field.value = wanted;
    if (!isReadable || field.value !== wanted || !field.checkValidity()) {
      ignored.add(name);
      field.value = usual;
    }
    found[name] = field.value;
  }
  const { from, to } = form.elements;
  const isReversed = Number(found.from) > Number(found.to);
  const reversed = `The range is reversed: ${found.from} is more than ${found.to}.`;
  setMessage("index-message", "");
  setMessage("unit-message", "");
  setMessage("confidence-message", isReversed ? reversed : "", ...(isReversed ? [from, to] : []));
  return [found, ignored];
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The pixels of an image, from 0 to 255, row by row. */
function pixelsAt(packed, place) {
  return packed.subarray(place * PIXELS, (place + 1) * PIXELS);
}

/** The pixels of a sample. */
function pixelsOf(index) {
  return pixelsAt(images, index);
}

/** Show pixels. Nothing is read back: some browsers change what is read from a canvas. */
function paintImage(canvas, pixels, width = payload.width) {
  const height = pixels.length / width;
  canvas.width = width;
  canvas.height = height;
  const picture = new ImageData(width, height);
  const { data } = picture;
  for (let p = 0; p < pixels.length; p++) {
    data[4 * p] = pixels[p]; // red, green, blue, opacity
    data[4 * p + 1] = pixels[p];
    data[4 * p + 2] = pixels[p];
    data[4 * p + 3] = 255;
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

function drawSample(canvas, index) {
  paintImage(canvas, pixelsOf(index));
}

/** Whether a sample's prediction is as the field "Right or wrong" asks for. */
function isOutcome(index) {
  const isRight = actual[index] === predicted[index];
  const isSecondRight = second && actual[index] === second.predicted[index];
  return {
    "": true,
    right: isRight,
    wrong: !isRight,
    "only-trained-wrong": !isRight && isSecondRight,
    "only-second-wrong": isRight && !isSecondRight,
  }[state.outcome];
}

function select() {
  const [row, column] = [state.actual, state.predicted].map((name) => names.indexOf(name));
  const chosen = Array.from(keys.index).filter((index) => {
    const confidence = 100 * keys.confidence[index];
    return (state.actual === "" || actual[index] === row)
      && (state.predicted === "" || predicted[index] === column)
      && isOutcome(index)
      && confidence >= Number(state.from)
      && confidence <= Number(state.to);
  });
  const [name, order] = state.sort.split("-");
  const sign = order === "ascending" ? 1 : -1;
  return chosen.sort((a, b) => sign * (keys[name][a] - keys[name][b]) || a - b);
}

/** A text with the name of a class; a long one may be cut, and is shown whole by a mouse. */
function nameOf(text) {
  const isLong = document.body.classList.contains("long");
  return element("span", text, { class: "name", ...(isLong && { title: text }) });
}

function tile(index) {
  const address = addressOf({ ...state, ...NOTHING_OPEN, index: String(index) });
  const link = element("a", "", { href: address });
  const canvas = element("canvas", "", { "aria-hidden": "true" });
  drawSample(canvas, index);
  link.append(
    canvas,
    nameOf(`actual ${called[actual[index]]}`),
    nameOf(`predicted ${called[predicted[index]]}`),
    element("span", percent(keys.confidence[index]), { class: "quiet" }),
    element("span", `#${index}`, { class: "quiet" }),
  );
  const isRight = actual[index] === predicted[index];
  const item = element("li", "", isRight ? {} : { class: "wrong" });
  item.append(link);
  return item;
}

function showMore() {
  const more = document.getElementById("more");
  document.getElementById("results").append(...results.slice(shown, shown + PAGE).map(tile));
  shown = Math.min(shown + PAGE, results.length);
  more.hidden = shown === results.length;
  more.textContent = `Show ${Math.min(PAGE, results.length - shown)} more`;
}

/** What the address of a link has for a name, such as an index. */
function valueOf(link, name) {
  return new URLSearchParams(link.hash.slice(1)).get(name);
}

function setCurrent(link, isCurrent) {
  if (isCurrent) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

function showResults() {
  results = select();
  shown = 0;
  document.getElementById("results").replaceChildren();
  showMore();
  showChoice();
}

/** The link of the matrix for two classes by name, one of which may be any; null if both are. */
function matrixLink(row, column) {
  const cells = matrix.rows[row === "" ? 1 : 2 + names.indexOf(row)].cells;
  return cells[column === "" ? 0 : 1 + names.indexOf(column)].querySelector("a");
}

/** Prepare the links to pairs of classes; returns each with the names, or "" for any. */
function choiceLinks() {
  const found = [...document.querySelectorAll("#pairs a")].map((link) => (
    [link, names[link.dataset.actual], names[link.dataset.predicted]]
  ));
  for (const row of [...matrix.rows].slice(1)) {
    const label = row.rowIndex - 2;
    [...row.cells].forEach((cell, place) => {
      const link = cell.querySelector("a");
      if (!link) return;
      const column = place - 1;
      let text = `actual ${called[label]} predicted as ${called[column]}: ${link.textContent}`;
      if (label < 0) text = `all predicted as ${called[column]}`;
      if (column < 0) text = `all actual ${called[label]}`;
      link.setAttribute("aria-label", text);
      link.tabIndex = -1;
      found.push([link, names[label] ?? "", names[column] ?? ""]);
    });
  }
  return found;
}

/** Show which pair of classes is chosen, and let the links to the others keep the order. */
function showChoice() {
  links ??= choiceLinks();
  if (state.sort !== linkedSort) {
    linkedSort = state.sort;
    for (const [link, row, column] of links) {
      link.href = addressOf({ ...DEFAULTS, actual: row, predicted: column, sort: state.sort });
    }
  }
  for (const [link, row, column] of links) {
    setCurrent(link, row === state.actual && column === state.predicted);
  }
  setTabStop(matrixLink(state.actual, state.predicted) ?? tabStop() ?? matrix.querySelector("a"));
}

/** The link of the matrix that Tab leads to. */
function tabStop() {
  return matrix.querySelector("[tabindex='0']");
}

function setTabStop(link) {
  const before = tabStop();
  if (before) before.tabIndex = -1;
  link.tabIndex = 0;
}

/** Mark the names of the row and of the column that are pointed at, if any are. */
function point(cell) {
  for (const head of matrix.querySelectorAll(".pointed")) head.classList.remove("pointed");
  if (cell === null) return;
  for (const head of [cell.parentElement.cells[0], matrix.rows[1].cells[cell.cellIndex]]) {
    head.classList.add("pointed");
  }
}

/** Walk through the matrix by keys, as through a grid of the ARIA Authoring Practices Guide. */
function walk(event) {
  if (event.altKey || event.metaKey || event.shiftKey) return;
  const rows = [...matrix.rows];
  const linksOf = (row) => [...row.cells].map((cell) => cell.querySelector("a"));
  const { cellIndex: column, parentElement: { rowIndex: row } } = event.target.closest("td, th");
  const here = linksOf(rows[row]);
  const ends = { Home: linksOf(rows[1])[1], End: last(linksOf(last(rows))) };
  const targets = event.ctrlKey ? ends : {
    ArrowUp: linksOf(rows[row - 1])[column],
    ArrowDown: rows[row + 1] && linksOf(rows[row + 1])[column],
    ArrowLeft: here[column - 1],
    ArrowRight: here[column + 1],
    Home: here.find(Boolean),
    End: last(here),
  };
  if (!isKey(event.key, targets)) return;
  event.preventDefault(); // at an edge too: the page must not scroll
  targets[event.key]?.focus();
}

function countOfResults() {
  const [found, all] = [results.length, payload.samples].map((count) => count.toLocaleString("en"));
  return `${found} of ${all} ${payload.items}`;
}

function ignoredText(ignored) {
  return ignored.size ? ` Ignored in the address: ${[...ignored].join(", ")}.` : "";
}

function showStatus(ignored) {
  const nothing = results.length === 0 ? " Nothing matches all filters." : "";
  const text = `${countOfResults()}.${nothing}${ignoredText(ignored)}`;
  document.getElementById("status").textContent = text;
}

/** Fill in a list of facts by their names. */
function setFacts(id, facts) {
  const pairs = Object.entries(facts).map(([name, fact]) => {
    const pair = element("div", "");
    pair.append(element("dt", name), element("dd", fact));
    return pair;
  });
  document.getElementById(id).replaceChildren(...pairs);
}

/** Let a link lead to what is shown now with something changed; hide it if there is nothing. */
function setAddress(id, change) {
  const link = document.getElementById(id);
  link.hidden = change === undefined;
  if (!link.hidden) link.href = addressOf({ ...state, ...change });
}

/** The head of a class's row in a table. */
function headOf(label, ...tags) {
  const head = element("th", "", { scope: "row" });
  head.append(nameOf(called[label]), ...tags);
  return head;
}

/** The cells of a class's row: its probability by each network, of those to all classes. */
function probabilityCells(networks, label) {
  return Object.entries(networks).map(([network, probabilities]) => {
    const probability = probabilities[label];
    const bar = element("span", "", { class: `bar ${network}` });
    bar.style.setProperty("--probability", probability);
    const cell = element("td", "");
    cell.append(element("span", percent(probability), { class: "number" }), bar);
    return cell;
  });
}

/** Return the rows of a table of the probabilities that networks give to each class. */
function probabilityRows(index, networks) {
  const answers = Object.fromEntries(
    Object.entries(networks).map(([network, all]) => [network, probabilitiesOf(all, index)]),
  );
  return names.map((_, label) => {
    const tags = [];
    if (label === actual[index]) tags.push(" ", element("span", "actual", { class: "tag" }));
    if (label === predicted[index]) tags.push(" ", element("span", "predicted", { class: "tag" }));
    const row = element("tr", "", tags.length ? { class: "kept" } : {});
    row.append(headOf(label, ...tags));
    row.append(...probabilityCells(answers, label));
    return row;
  });
}

/** Put a row for each class into a table: of many classes first those with the largest values. */
function setRows(body, rows, values) {
  const order = Array.from(rows.keys());
  if (IS_MANY) order.sort((a, b) => values[b] - values[a] || a - b);
  body.replaceChildren(...order.map((label) => rows[label]));
}

/** The probabilities that a network gives to each class. */
function probabilitiesOf(probabilities, index) {
  return probabilities.subarray(index * names.length, (index + 1) * names.length);
}

/** A label that is given to a sample, and whether it is its own. */
function verdict(index, label) {
  return `${called[label]} (${label === actual[index] ? "right" : "wrong"})`;
}

/** What a sample was before labels were corrected, where that is something else. */
function publishedFacts(index) {
  return {
    ...(given && given[index] !== actual[index] && { "published as": called[given[index]] }),
    ...(publishedIndex && publishedIndex[index] !== index
      && { "index in the published set": String(publishedIndex[index]) }),
  };
}

function showSample() {
  for (const link of document.querySelectorAll("#results a")) {
    setCurrent(link, valueOf(link, "index") === state.index);
  }
  const section = document.getElementById("sample");
  section.hidden = state.index === "" || state.unit !== "";
  const shownIndex = section.hidden ? "" : state.index;
  showEvidence(shownIndex);
  showNeighbours(shownIndex);
  if (section.hidden) return;
  document.title = `Index ${state.index} - ${TITLE}`;
  const index = Number(state.index);
  document.getElementById("sample-heading").textContent = `Index ${index}`;
  drawSample(document.getElementById("sample-picture"), index);

  setFacts("sample-facts", {
    actual: called[actual[index]],
    ...publishedFacts(index),
    predicted: verdict(index, predicted[index]),
    confidence: percent(keys.confidence[index]),
    ...(second && { [`predicted by ${second.name}`]: verdict(index, second.predicted[index]) }),
    loss: `${keys.loss[index].toFixed(4)} nats`,
    margin: keys.margin[index].toFixed(4),
    "predicted before training": called[untrainedPredicted[index]],
  });

  setRows(
    document.querySelector("#sample-probabilities tbody"),
    probabilityRows(index, { trained, ...(second && { second: second.y }), untrained }),
    probabilitiesOf(trained, index),
  );

  const place = results.indexOf(index);
  document.getElementById("sample-note").hidden = place !== -1;
  for (const [name, neighbour] of [["previous", place - 1], ["next", place + 1]]) {
    const target = place === -1 ? undefined : results[neighbour];
    setAddress(name, target === undefined ? undefined : { index: String(target) });
  }
}

function show(address) {
  const before = state;
  const active = document.activeElement;
  let ignored;
  [state, ignored] = readAddress(address);
  const isOtherChoice = Object.keys(FILTERS).some((name) => state[name] !== before?.[name]);
  if (isOtherChoice) showResults();
  showStatus(ignored);
  document.title = TITLE;
  showUnit();
  showSample();
  showQuiz(ignored);
  if (state.quiz !== "") {
    if (before !== undefined || !IS_FRAMED) focusQuiz(); // a frame takes no focus from its page
    return;
  }

  const [panel, name] = state.unit === "" ? ["sample", "index"] : ["unit", "unit"];
  const isChosen = state[name] !== "" && state[name] !== before?.[name];
  if (isChosen) bring(panel);
  if (before === undefined) return;
  const heading = document.getElementById(`${panel}-heading`);
  if (before.quiz !== "" && active.closest("[hidden]")) {
    (isChosen ? heading : document.getElementById("quiz-start")).focus();
  } else if (isChosen && active.closest("#results, .evidence-units")) {
    heading.focus(); // steps and typing keep the focus instead
  } else if (active.closest("[hidden]")) { // at the end of the steps, or on the way back
    (isChosen || (state.unit !== "") ? heading : wayBack(before)).focus();
  } else if (isOtherChoice && active.closest("#matrix, #pairs")) {
    const below = document.getElementById("results-heading"); // far below on a narrow screen
    const { top } = below.getBoundingClientRect();
    if (top < 0 || top > window.innerHeight) below.scrollIntoView();
  }
}

/** Whether an element is there to be seen; checkVisibility is missing in older browsers. */
function isSeen(part) {
  return part.getClientRects().length > 0 && !part.closest("details:not([open])");
}

/** Where a panel that is closed now was opened. */
function wayBack(before) {
  const links = [...document.querySelectorAll("#explorer .evidence-units a")];
  const isOpener = (link) => valueOf(link, "unit") === before.unit && isSeen(link);
  const tiles = [...document.querySelectorAll("#results a")];
  return links.find(isOpener)
    ?? (state.index === ""
      ? tiles.find((link) => valueOf(link, "index") === before.index)
      : document.getElementById("sample-heading"))
    ?? document.getElementById("results-heading");
}

/** Scroll to a panel unless its picture is on the screen, as on a phone after typing an index. */
function bring(panel) {
  const { top } = document.getElementById(panel).getBoundingClientRect();
  const { bottom } = document.getElementById(`${panel}-picture`).getBoundingClientRect();
  if (top < 0 || bottom > window.innerHeight) document.getElementById(panel).scrollIntoView();
}

/** Show what an address stands for and, if it can be changed, put it into the page's address. */
function goTo(address) {
  if (address !== (location.hash || "#")) {
    try {
      history.pushState(null, "", PLACE + address);
    } catch { /* in a frame whose address must stay */ }
  }
  show(address);
}

/** Follow a link on this page; leave a new tab to the browser where it can show this page in it. */
function follow(event) {
  const link = event.target.closest("a[href^='#']");
  if (!link || event.button > 1) return;
  const isPlain = event.button === 0
    && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const [place] = link.href.split("#");
  const opensThisPage = place === PLACE && /^(https?|file):/.test(place); // not blob: or data:
  if (!isPlain && opensThisPage) return;
  event.preventDefault();
  goTo(link.getAttribute("href"));
}

/** Close the panel on top: a unit's, and then the sample's below it. */
function closePanel() {
  goTo(addressOf({ ...state, ...(state.unit === "" ? { index: "" } : { unit: "" }) }));
}

function showMistake(field) {
  const { name, value, min, max } = field;
  if (name === "index" || name === "unit") {
    const typed = value === "" ? "" : `There is no ${name} ${value}. `;
    const wanted = `Type a whole number from ${min} to ${max}.`;
    setMessage(`${name}-message`, typed + wanted, field);
  } else {
    setMessage("confidence-message", `Type a number from ${min} to ${max}.`, field);
  }
}

if (second) {
  for (const [value, name] of [["trained", "trained"], ["second", second.name]]) {
    form.elements.outcome.append(element("option", `only ${name} is wrong`, {
      value: `only-${value}-wrong`,
    }));
  }
  document.querySelector("#sample-probabilities thead tr").children[1].after(
    element("th", second.name, { scope: "col" }),
  );
  const word = element("div", "");
  word.append(element("dt", second.name), element(
    "dd",
    `another network; its answers to the ${payload.items} here are exact, those to drawings are `
      + "rounded, as are its weights in this page",
  ));
  document.getElementById("words").append(word);
}
form.addEventListener("change", ({ target: field }) => {
  if (!field.validity.valid) {
    showMistake(field);
    return;
  }
  const { name, value } = field;
  const chosen = field.type === "number" ? String(field.valueAsNumber) : value;
  const change = { [name]: value === "" ? DEFAULTS[name] : chosen };
  if (name === "index") change.unit = ""; // whose panel would cover it
  goTo(addressOf({ ...state, ...change }));
});
form.addEventListener("reset", (event) => {
  event.preventDefault();
  goTo(addressOf(DEFAULTS));
});
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("more").addEventListener("click", () => {
  const first = shown;
  showMore();
  document.querySelectorAll("#results a")[first].focus();
});
// Buttons, as a link would change the address.
for (const skip of document.querySelectorAll(".skips button")) {
  skip.addEventListener("click", () => document.getElementById(skip.dataset.target).focus());
}
for (const close of document.querySelectorAll(".close")) close.addEventListener("click", closePanel);
document.addEventListener("keydown", (event) => {
  const isPanelOpen = (state?.index || state?.unit) && state.quiz === "";
  if (event.key !== "Escape" || !isPanelOpen || event.target.closest("select")) return;
  closePanel();
});
matrix.setAttribute("role", "grid"); // here, as without a script nothing walks through it
matrix.addEventListener("keydown", walk);
matrix.addEventListener("focusin", (event) => setTabStop(event.target));
matrix.addEventListener("pointerover", (event) => { // a name may be cut, or far away
  const link = event.target.closest("a");
  if (link) link.title = link.getAttribute("aria-label");
  point(event.target.closest("tbody td"));
});
matrix.addEventListener("pointerleave", () => point(null));
if (IS_MANY) {
  document.getElementById("zoom").hidden = false;
  document.getElementById("zoom-factor").addEventListener("input", ({ target: { value } }) => {
    const box = document.getElementById("matrix-box");
    box.style.setProperty("--zoom", value);
    box.classList.toggle("far", value < 0.5); // where no number can be read
  });
}
for (const button of document.querySelectorAll(".unfold")) {
  button.addEventListener("click", () => {
    const isFolded = button.previousElementSibling.classList.toggle("folded");
    button.textContent = `Show ${isFolded ? "all" : "fewer of the"} ${names.length}`;
    button.setAttribute("aria-expanded", String(!isFolded));
  });
}
document.addEventListener("click", follow);
document.addEventListener("auxclick", follow);
window.addEventListener("hashchange", () => show(location.hash));
document.addEventListener("DOMContentLoaded", () => show(location.hash)); // all scripts have run
for (const note of document.querySelectorAll(".address-note")) note.hidden = IS_FRAMED;
