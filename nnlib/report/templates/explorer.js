"use strict";

// The address holds the whole state: #actual=4&predicted=9&index=740. Links and the form change the
// address, and each change of the address redraws the page from it. In a frame of another page, such
// as a notebook, a link may lead to that page (srcdoc) or nowhere (a sandboxed blob), and the address
// may refuse to change; so the script follows the links itself, and can do without the address.

const DEFAULTS = {
  index: "", actual: "", predicted: "", outcome: "", from: "0", to: "100", sort: "loss-descending",
};
const PAGE = 200; // samples shown at once
const TITLE = document.title;
const [PLACE] = location.href.split("#");

const payload = JSON.parse(document.getElementById("payload").textContent);
function bytes(text) {
  const characters = atob(text);
  const codes = new Uint8Array(characters.length); // a loop: millions take a moment otherwise
  for (let i = 0; i < codes.length; i++) codes[i] = characters.charCodeAt(i);
  return codes;
}
const floats = (text) => new Float32Array(bytes(text).buffer);
const actual = bytes(payload.actual);
const predicted = bytes(payload.predicted);
const untrainedPredicted = bytes(payload.untrainedPredicted);
const trained = floats(payload.trained);
const untrained = floats(payload.untrained);
const { names } = payload;
const keys = {
  loss: floats(payload.loss),
  confidence: floats(payload.confidence),
  margin: floats(payload.margin),
  index: Uint32Array.from({ length: payload.samples }, (_, index) => index),
};
const sheet = new Image();
const form = document.getElementById("form");

let state;
let results; // indices of the samples that the filters let through, sorted
let shown; // how many of them are on the page

function percent(share) {
  const text = (100 * share).toFixed(2);
  if (share > 0 && text === "0.00") return "< 0.01 %";
  if (share < 1 && text === "100.00") return "> 99.99 %";
  return `${text} %`;
}

function isNumber(text) {
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text; // so that each number has one address
}

function addressOf(wanted) {
  const chosen = Object.entries(wanted).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(chosen)}`;
}

/** Fill in the form from an address, and return the form's values and what it ignored. */
function readAddress(address) {
  const wantedValues = new URLSearchParams(address.slice(1));
  const unknown = [...wantedValues.keys()].filter((name) => !Object.hasOwn(DEFAULTS, name));
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
  return [found, ignored];
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function drawSample(canvas, index) {
  const { width, height, columns } = payload;
  canvas.width = width;
  canvas.height = height;
  const x = (index % columns) * width;
  const y = Math.floor(index / columns) * height;
  canvas.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
}

function select() {
  const chosen = Array.from(keys.index).filter((index) => {
    const confidence = 100 * keys.confidence[index];
    const outcome = actual[index] === predicted[index] ? "right" : "wrong";
    return (state.actual === "" || actual[index] === Number(state.actual))
      && (state.predicted === "" || predicted[index] === Number(state.predicted))
      && (state.outcome === "" || outcome === state.outcome)
      && confidence >= Number(state.from)
      && confidence <= Number(state.to);
  });
  const [name, order] = state.sort.split("-");
  const sign = order === "ascending" ? 1 : -1;
  return chosen.sort((a, b) => sign * (keys[name][a] - keys[name][b]) || a - b);
}

function tile(index) {
  const link = element("a", "", { href: addressOf({ ...state, index: String(index) }) });
  const canvas = element("canvas", "", { "aria-hidden": "true" });
  drawSample(canvas, index);
  link.append(
    canvas,
    element("span", `${names[actual[index]]} read as ${names[predicted[index]]}`),
    element("span", percent(keys.confidence[index]), { class: "quiet" }),
    element("span", `#${index}`, { class: "quiet" }),
  );
  const item = element("li", "");
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

function indexOf(link) {
  return new URLSearchParams(link.hash.slice(1)).get("index");
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
  for (const link of document.querySelectorAll("#matrix a")) {
    const { actual: row = "", predicted: column = "" } = link.dataset;
    link.href = addressOf({ ...DEFAULTS, actual: row, predicted: column, sort: state.sort });
    setCurrent(link, row === state.actual && column === state.predicted);
  }
}

function showStatus(ignored) {
  let text = `${results.length.toLocaleString("en")} of ${payload.samples.toLocaleString("en")} ${payload.noun}s.`;
  if (results.length === 0) text += " Nothing fits all of the filters.";
  if (ignored.size) text += ` Ignored in the address: ${[...ignored].join(", ")}.`;
  document.getElementById("status").textContent = text;
}

function showSample() {
  for (const link of document.querySelectorAll("#results a")) {
    setCurrent(link, indexOf(link) === state.index);
  }
  const section = document.getElementById("sample");
  section.hidden = state.index === "";
  document.title = section.hidden ? TITLE : `Index ${state.index} - ${TITLE}`;
  showEvidence(state.index);
  if (section.hidden) return;
  const index = Number(state.index);
  document.getElementById("sample-heading").textContent = `Index ${index}`;
  drawSample(document.getElementById("sample-picture"), index);

  const isRight = actual[index] === predicted[index];
  const facts = {
    actual: names[actual[index]],
    predicted: `${names[predicted[index]]} (${isRight ? "right" : "wrong"})`,
    confidence: percent(keys.confidence[index]),
    loss: `${keys.loss[index].toFixed(4)} nats`,
    margin: keys.margin[index].toFixed(4),
    "predicted before training": names[untrainedPredicted[index]],
  };
  const pairs = Object.entries(facts).map(([name, fact]) => {
    const pair = element("div", "");
    pair.append(element("dt", name), element("dd", fact));
    return pair;
  });
  document.getElementById("sample-facts").replaceChildren(...pairs);

  const rows = names.map((name, label) => {
    const head = [name];
    if (label === actual[index]) head.push("actual");
    if (label === predicted[index]) head.push("predicted");
    const row = element("tr", "");
    row.append(element("th", head.join(" "), { scope: "row" }));
    for (const [network, probabilities] of Object.entries({ trained, untrained })) {
      const probability = probabilities[index * names.length + label];
      const bar = element("span", "", { class: `bar ${network}` });
      bar.style.setProperty("--probability", probability);
      const cell = element("td", "");
      cell.append(element("span", percent(probability), { class: "number" }), bar);
      row.append(cell);
    }
    return row;
  });
  document.querySelector("#sample-probabilities tbody").replaceChildren(...rows);

  const place = results.indexOf(index);
  document.getElementById("sample-note").hidden = place !== -1;
  for (const [name, neighbour] of [["previous", place - 1], ["next", place + 1]]) {
    const link = document.getElementById(name);
    const target = place === -1 ? undefined : results[neighbour];
    link.hidden = target === undefined;
    if (!link.hidden) link.href = addressOf({ ...state, index: String(target) });
  }
}

function show(address) {
  const before = state;
  const active = document.activeElement;
  let ignored;
  [state, ignored] = readAddress(address);
  const isOtherChoice = Object.keys(DEFAULTS).some(
    (name) => name !== "index" && state[name] !== before?.[name],
  );
  if (isOtherChoice) showResults();
  showStatus(ignored);
  showSample();
  if (before === undefined) return;

  const heading = document.getElementById("sample-heading");
  const isSampleChosen = state.index !== "" && state.index !== before.index;
  if (isSampleChosen && document.getElementById("results").contains(active)) {
    heading.focus(); // steps and typing keep the focus instead
  } else if (active.closest("[hidden]")) { // at the end of the steps, or on the way back
    const tiles = [...document.querySelectorAll("#results a")];
    const tileBefore = tiles.find((link) => indexOf(link) === before.index);
    (state.index === "" ? tileBefore : heading)?.focus();
  } else if (isOtherChoice && document.getElementById("matrix").contains(active)) {
    const below = document.getElementById("results-heading"); // far below on a narrow screen
    if (below.getBoundingClientRect().top > window.innerHeight) below.scrollIntoView();
  }
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

form.addEventListener("change", () => {
  if (!form.reportValidity()) return;
  const chosen = Object.keys(DEFAULTS).map((name) => {
    const field = form.elements[name];
    if (field.value === "") return [name, DEFAULTS[name]];
    return [name, field.type === "number" ? String(field.valueAsNumber) : field.value];
  });
  goTo(addressOf(Object.fromEntries(chosen)));
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
document.addEventListener("click", follow);
document.addEventListener("auxclick", follow);
window.addEventListener("hashchange", () => show(location.hash));
sheet.addEventListener("load", () => show(location.hash));
document.getElementById("address-note").hidden = window !== window.parent;
sheet.src = payload.sheet;
