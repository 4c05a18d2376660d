"use strict";

// Each reviewer has a list of decisions, in the order in which they were made: { place, vote }, with
// the place of a sample in the list and, as the vote, the label of a class, CANNOT_TELL or SKIPPED.
// All lists are kept in the browser's storage at each change, which begins by reading them again, as
// another tab may have changed them.

const payload = JSON.parse(document.getElementById("payload").textContent);
const { names, samples, item, items, noun } = payload;
const KEY = `votes:${payload.list}`;
const [CANNOT_TELL, SKIPPED] = ["cannot tell", "skipped"];
const COLUMNS = ["reviewer", "set", "index", "given", "vote"];
const END = samples.length; // the place behind the last one, where the counts are
const PAUSE = 1000; // ms within which the rest of a name is taken for its end, not for a key

let kept = { reviewers: [], last: null }; // of reviewers: { name, decisions }
let isReadable = true; // the storage
let isKept = true;
let isExported = true; // all that there is
let reviewer = null; // the name
let place; // of the sample that is shown
let typed = ""; // the first letters of a class
let ending = { text: "", until: 0 }; // what may still be typed of the name that was voted for

const byId = (id) => document.getElementById(id);
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Set a text, and leave it alone if it is there: a live region would be read again. */
function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

// What is kept

function load() {
  try {
    const text = localStorage.getItem(KEY);
    if (text !== null) kept = JSON.parse(text);
  } catch {
    isReadable = false;
    isKept = false;
  }
}

/** Change what is kept, and keep it. Once that has failed, what is in memory is newer. */
function change(edit) {
  if (isKept) load();
  edit();
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    isKept = isReadable;
  } catch {
    isKept = false;
  }
  isExported = kept.reviewers.every(({ decisions }) => decisions.length === 0);
}

function decisionsOf(name) {
  return kept.reviewers.find((each) => each.name === name)?.decisions ?? [];
}

/** The decisions of a reviewer, who is added if need be. */
function ownDecisions(name) {
  let own = kept.reviewers.find((each) => each.name === name);
  if (!own) {
    own = { name, decisions: [] };
    kept.reviewers.push(own);
  }
  return own.decisions;
}

function voteOn(wanted) {
  return decisionsOf(reviewer).find((each) => each.place === wanted)?.vote;
}

const isJudged = (wanted) => ![undefined, SKIPPED].includes(voteOn(wanted));

/** The first place from one on, or else from the beginning, without a decision; or the end. */
function nextOpen(from = 0) {
  const decided = new Set(decisionsOf(reviewer).map((each) => each.place));
  const open = samples.map((_, each) => each).filter((each) => !decided.has(each));
  return open.find((each) => each >= from) ?? open[0] ?? END;
}

// Decisions

function decide(vote) {
  const here = place;
  change(() => {
    const own = ownDecisions(reviewer);
    const before = own.findIndex((each) => each.place === here);
    if (before !== -1) own.splice(before, 1);
    own.push({ place: here, vote });
  });
  goTo(nextOpen(here + 1));
}

/** Go on without a vote, and leave one that there is. */
function skip() {
  if (isJudged(place)) goTo(nextOpen(place + 1));
  else decide(SKIPPED);
}

function undo() {
  let undone;
  change(() => { undone = ownDecisions(reviewer).pop(); });
  if (undone === undefined) return;
  goTo(undone.place);
  hint(`Undone: ${item} ${undone.place + 1} is to be judged again.`);
}

function judgeSkipped() {
  let first;
  change(() => {
    const own = ownDecisions(reviewer);
    const skipped = own.filter((each) => each.vote === SKIPPED).map((each) => each.place);
    first = Math.min(...skipped);
    own.splice(0, own.length, ...own.filter((each) => each.vote !== SKIPPED));
  });
  goTo(first);
}

function choose(name) {
  reviewer = name;
  change(() => {
    ownDecisions(name);
    kept.last = name;
  });
  goTo(nextOpen());
}

function goTo(wanted) {
  place = wanted;
  typed = "";
  show();
}

function hint(text) {
  setText("typed", text);
}

// Keys: of each class the first letters, as many as tell it from all others. Where capitals or
// accents alone tell two classes apart, they matter.

const foldCharacter = (character) => (
  character.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase() || character
);
const foldAll = (text) => [...text].map(foldCharacter).join("");
const fold = new Set(names.map(foldAll)).size === names.length ? foldAll : (text) => text;
const folded = names.map(fold);
const matching = (prefix) => names.map((_, label) => label)
  .filter((label) => folded[label].startsWith(prefix));
// A few classes have a digit each, too: their number, unless their names begin with digits.
const hasDigits = names.length <= payload.few && !folded.some((name) => /^\d/.test(name));
const COMMANDS = {
  "cannot-tell": { keys: ["?", "/", "F2"], run: () => decide(CANNOT_TELL) },
  skip: { keys: ["s", ".", "F4"], run: skip },
  undo: { keys: ["u", "Control+Z"], run: undo },
};
for (const command of Object.values(COMMANDS)) { // a class comes first
  command.key = command.keys.find((key) => !folded.some((name) => name.startsWith(key)));
}

/** How many letters of a name tell it from the others; of one that others begin with, all. */
function lettersNeeded(label) {
  const letters = [...names[label]];
  const needed = letters.findIndex((_, end) => (
    matching(fold(letters.slice(0, end + 1).join(""))).length === 1
  ));
  return needed === -1 ? letters.length : needed + 1;
}

function type(character) {
  const wanted = typed + fold(character);
  const found = matching(wanted);
  if (found.length === 0) {
    hint(`No ${noun} begins with "${wanted}".`);
  } else if (found.length === 1) {
    ending = { text: folded[found[0]].slice(wanted.length), until: Date.now() + PAUSE };
    decide(found[0]);
  } else {
    typed = wanted;
    showTyped();
  }
}

/** Whether a character goes on with the name that was voted for by its first letters. */
function isEnding(character) {
  const letter = fold(character);
  const isNext = [...character].length === 1 && ending.text.startsWith(letter);
  if (!isNext || Date.now() > ending.until) return false;
  ending = { text: ending.text.slice(letter.length), until: Date.now() + PAUSE };
  return true;
}

/** Do what a key asks for; returns whether it asks for anything. */
function press(key) {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    goTo(Math.min(Math.max(place + (key === "ArrowLeft" ? -1 : 1), 0), END));
    return true;
  }
  const command = Object.values(COMMANDS).find((each) => typed === "" && each.key === (
    key.length === 1 ? fold(key) : key
  ));
  if (place === END) {
    if (command?.run !== undo) return false;
    undo();
    return true;
  }
  if (typed !== "" && key === "Enter") {
    const exact = folded.indexOf(typed);
    if (exact === -1) hint(`No ${noun} is called "${typed}"; go on typing.`);
    else decide(exact);
  } else if (typed !== "" && (key === "Backspace" || key === "Escape")) {
    typed = key === "Escape" ? "" : [...typed].slice(0, -1).join("");
    showTyped();
  } else if (command) {
    command.run();
  } else if ([...key].length !== 1 || (key === " " && typed === "")) {
    return false;
  } else if (hasDigits && /^\d$/.test(key) && Number(key) < names.length && typed === "") {
    decide(Number(key));
  } else {
    type(key);
  }
  return true;
}

// Only where the focus is in this part, so that speech input does not vote by mistake.
byId("main").addEventListener("keydown", (event) => {
  if (reviewer === null || event.isComposing || event.target.closest("input, select")) return;
  const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z" && !event.altKey;
  const isModified = (event.ctrlKey || event.metaKey || event.altKey)
    && !event.getModifierState("AltGraph");
  if (isUndo) undo();
  else if (isModified || event.repeat) return;
  else if (!isEnding(event.key) && !press(event.key)) return;
  event.preventDefault();
});

// What is shown

const buttons = names.map((name, label) => {
  const letters = [...name];
  const needed = lettersNeeded(label);
  const button = element("button", "", { type: "button" });
  const shown = element("bdi", "");
  if (names.some((each) => [...each].length > 1)) {
    shown.append(element("span", letters.slice(0, needed).join(""), { class: "keys" }));
    shown.append(letters.slice(needed).join(""));
  } else {
    shown.append(name);
  }
  button.append(shown);
  if (hasDigits) button.append(" ", element("kbd", String(label), { "aria-hidden": "true" }));
  button.addEventListener("click", (event) => {
    if (event.detail < 2) decide(label); // the second of a double click would be on the next image
  });
  return button;
});
const inOrder = names.map((_, label) => label);
if (names.length > payload.few) { // easier to find by name
  inOrder.sort((a, b) => names[a].localeCompare(names[b], "en", { numeric: true }));
}
byId("classes").append(...inOrder.map((label) => buttons[label]));
byId("classes").classList.toggle("named", names.some((name) => [...name].length > 2));
for (const [id, { key, run }] of Object.entries(COMMANDS)) {
  byId(id).append(" ", element("kbd", key, { "aria-hidden": "true" }));
  byId(id).setAttribute("aria-keyshortcuts", key);
  byId(id).addEventListener("click", run);
}

function show() {
  const isChosen = reviewer !== null;
  byId("voting").hidden = !isChosen;
  byId("choice").hidden = kept.reviewers.length === 0;
  byId("another").hidden = !isChosen;
  byId("naming").hidden = isChosen;
  showReviewers();
  setText("not-kept", isKept ? "" : "This browser keeps nothing of this page: its storage is full or "
    + "switched off, as in a private window. Export your votes before you close the page.");
  byId("kept").hidden = !isKept;
  if (!isChosen) return;
  const had = document.activeElement;
  const isEnd = place === END;
  byId("heading").textContent = isEnd
    ? `All ${items}`
    : `${item[0].toUpperCase()}${item.slice(1)} ${place + 1} of ${samples.length}`;
  const votes = samples.map((_, each) => voteOn(each));
  const skipped = votes.filter((vote) => vote === SKIPPED).length;
  const judged = votes.filter((vote) => ![undefined, SKIPPED].includes(vote)).length;
  byId("progress").max = Math.max(samples.length, 1);
  byId("progress").value = judged;
  setText("judged", `${judged} of ${samples.length} judged${skipped ? `, ${skipped} skipped` : ""}`);
  byId("skipped").hidden = skipped === 0;
  setText("skipped", `Judge ${skipped === 1 ? "the one" : `the ${skipped}`} skipped`);
  byId("body").hidden = isEnd;
  byId("end").hidden = !isEnd;
  if (isEnd) showEnd(votes, judged, skipped);
  else showSample();
  if (had.closest("[hidden]") || had === document.body) byId("heading").focus();
}

function showReviewers() {
  const list = kept.reviewers.map(({ name }) => element("option", name));
  byId("reviewer").replaceChildren(...list);
  byId("reviewer").value = reviewer ?? "";
  byId("export").hidden = reviewer === null;
  byId("export-all").hidden = kept.reviewers.filter((each) => each.decisions.length).length < 2;
}

const source = (sample) => `data:image/png;base64,${sample.image}`;

/** Show the sample without anything that tells its label, unless it is judged. */
function showSample() {
  byId("picture").src = source(samples[place]);
  const own = isJudged(place) ? voteOn(place) : undefined;
  buttons.forEach((button, label) => {
    if (own === undefined) button.removeAttribute("aria-pressed");
    else button.setAttribute("aria-pressed", String(own === label));
  });
  showTyped();
  byId("previous").setAttribute("aria-disabled", String(place === 0));
  byId("undo").setAttribute("aria-disabled", String(decisionsOf(reviewer).length === 0));
  const decided = decisionsOf(reviewer);
  showDecided(own === undefined ? decided[decided.length - 1] : { place, vote: own });
}

const called = (vote) => names[vote] ?? vote;

/** Show what was decided, and the label and the suggestion, if it was a vote. */
function showDecided(decision) {
  if (decision === undefined || decision.vote === SKIPPED) {
    byId("last").replaceChildren();
    return;
  }
  const sample = samples[decision.place];
  const isHere = decision.place === place;
  const parts = [
    ["your vote", called(decision.vote), decision.vote !== sample.label],
    ["label", names[sample.label]],
    ["suggested", names[sample.suggested]],
  ].map(([name, text, isOther]) => {
    const part = element("div", "", isOther ? { class: "other" } : {});
    const fact = element("dd", "");
    fact.append(element("bdi", text));
    part.append(element("dt", name), fact);
    return part;
  });
  const facts = element("dl", "");
  facts.append(...parts);
  const words = element("div", "");
  const heading = isHere ? "Judged" : `Just judged: ${decision.place + 1}`;
  const where = `${sample.set} ${sample.index}, rank ${sample.rank}`;
  words.append(element("strong", heading), facts);
  words.append(element("span", sample.file ? `${where}, ${sample.file}` : where, { class: "quiet" }));
  const picture = element("img", "", { class: "image", alt: "", src: source(sample) });
  byId("last").replaceChildren(...(isHere ? [] : [picture]), words);
}

function showTyped() {
  const found = typed === "" ? [] : matching(typed);
  buttons.forEach((button, label) => button.classList.toggle("matching", found.includes(label)));
  const exact = folded.indexOf(typed);
  const enter = exact === -1 ? "" : ` Enter: ${names[exact]}.`;
  const list = found.map((label) => names[label]).join(", ");
  hint(typed === "" ? "" : `Typed: ${typed}. It can be ${list}.${enter}`);
}

function showEnd(votes, judged, skipped) {
  const same = votes.filter((vote, each) => vote === samples[each].label).length;
  const suggested = votes.filter((vote, each) => (
    vote === samples[each].suggested && vote !== samples[each].label
  )).length;
  const unsure = votes.filter((vote) => vote === CANNOT_TELL).length;
  const rows = [
    ["for the label", same],
    ["for what was suggested", suggested],
    [`for another ${noun}`, judged - same - suggested - unsure],
    ["cannot tell", unsure],
    ["skipped", skipped],
    ["not judged", END - judged - skipped],
  ].map(([name, number]) => {
    const row = element("tr", "");
    row.append(element("th", name, { scope: "row" }), element("td", String(number)));
    return row;
  });
  byId("counts").replaceChildren(...rows);
  byId("go-on").hidden = nextOpen() === END;
  setText("end-note", judged === END ? "You have judged all. Export your votes." : "");
}

// Files

// What a spreadsheet would run as a formula gets an apostrophe, as in other files of the project;
// so does what then would look the same. A number stays.
const FORMULA = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const isNumber = (text) => text.trim() !== "" && Number.isFinite(Number(text));
const guarded = (text) => (FORMULA.test(text) && !isNumber(text) ? `'${text}` : text);
const unguarded = (text) => (text[0] === "'" && FORMULA.test(text) ? text.slice(1) : text);
const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function csvOf(reviewers) {
  const rows = reviewers.flatMap(({ name, decisions }) => decisions
    .filter(({ vote }) => vote !== SKIPPED)
    .sort((a, b) => a.place - b.place)
    .map((decision) => {
      const { set, index, label } = samples[decision.place];
      const vote = decision.vote === CANNOT_TELL ? "" : names[decision.vote];
      return [guarded(name), set, String(index), guarded(names[label]), guarded(vote)];
    }));
  return [COLUMNS, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** Rows of cells in a text of CSV (RFC 4180). */
function rowsOf(text) {
  const rows = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
  for (let row = []; cell.lastIndex < text.length;) {
    const found = cell.exec(text);
    if (found === null) return [];
    row.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

function exportVotes(reviewers, name) {
  const link = element("a", "", { download: `votes-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv` });
  link.href = URL.createObjectURL(new Blob([csvOf(reviewers)], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  isExported = true;
}

/** Take votes from an exported file, but not on what the reviewer has judged here. */
function importVotes(text) {
  const [head = [], ...rows] = rowsOf(text.replace(/^\ufeff/, "").replace(/[^\n]$/, "$&\n"));
  const columns = COLUMNS.map((name) => head.indexOf(name));
  if (columns.includes(-1)) {
    setText("said", `This is no file of votes: it has no column ${COLUMNS[columns.indexOf(-1)]}.`);
    return;
  }
  let taken = 0;
  change(() => {
    for (const row of rows) {
      const [name, set, index, given, vote] = columns.map((column) => unguarded(row[column] ?? ""));
      const wanted = samples.findIndex((each) => (
        each.set === set && String(each.index) === index && names[each.label] === given
      ));
      const label = vote === "" ? CANNOT_TELL : names.indexOf(vote);
      if (wanted === -1 || label === -1 || tidy(name) === "") continue;
      const own = ownDecisions(knownName(name));
      if (own.some((each) => each.place === wanted && each.vote !== SKIPPED)) continue;
      const before = own.findIndex((each) => each.place === wanted);
      if (before !== -1) own.splice(before, 1);
      own.push({ place: wanted, vote: label });
      taken += 1;
    }
  });
  if (reviewer !== null) goTo(nextOpen());
  else begin();
  const left = rows.length - taken;
  setText("said", `${count(taken, "vote")} taken from the file${left ? `, ${left} left out: on what is judged `
    + "here, or not on this list" : ""}.`);
}

// Reviewers

const tidy = (name) => name.replace(/\p{C}/gu, "").replace(/\s+/gu, " ").trim();

/** A name as it is known here, whatever its capitals. */
function knownName(name) {
  const isSame = (each) => each.name.toLowerCase() === tidy(name).toLowerCase();
  return kept.reviewers.find(isSame)?.name ?? tidy(name);
}

/** Go on with the reviewer of last time, or ask who it is. */
function begin() {
  if (kept.reviewers.some(({ name }) => name === kept.last)) {
    reviewer = kept.last;
    goTo(nextOpen());
  } else {
    show();
    byId("name").focus();
  }
}

byId("naming").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = tidy(byId("name").value);
  byId("name").value = "";
  if (name === "") return;
  choose(knownName(name));
  byId("heading").focus();
});
byId("choice").addEventListener("submit", (event) => event.preventDefault());
byId("reviewer").addEventListener("change", ({ target }) => choose(target.value));
byId("another").addEventListener("click", () => {
  reviewer = null;
  show();
  byId("name").focus();
});
byId("previous").addEventListener("click", () => press("ArrowLeft"));
byId("back").addEventListener("click", () => press("ArrowLeft"));
byId("next").addEventListener("click", () => press("ArrowRight"));
byId("go-on").addEventListener("click", () => goTo(nextOpen()));
byId("skipped").addEventListener("click", judgeSkipped);
byId("export").addEventListener("click", () => {
  exportVotes([{ name: reviewer, decisions: decisionsOf(reviewer) }], reviewer);
});
byId("export-all").addEventListener("click", () => exportVotes(kept.reviewers, "all"));
byId("import").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (file) importVotes(await file.text());
  target.value = ""; // so that the same file can be chosen again
});
window.addEventListener("storage", (event) => { // another tab has voted
  if (event.key !== KEY) return;
  load();
  show();
});
window.addEventListener("beforeunload", (event) => {
  if (!isKept && !isExported) event.preventDefault();
});

load();
begin();
