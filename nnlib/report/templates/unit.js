// The page of a hidden unit: #unit=12, or #index=740&unit=12 for what it does for that sample. What
// leaving it out costs is what nnlib.analysis.units measures.

let costs; // once they are needed

function points(share) {
  return `${(100 * share).toFixed(2)} percentage points`;
}

function pValue(p) {
  return p >= 0.0001 ? String(Number(p.toPrecision(2))) : "< 0.0001";
}

function showUnit() {
  const section = document.getElementById("unit");
  if (!section) return;
  section.hidden = state.unit === "";
  for (const link of document.querySelectorAll("#draw .evidence-units a[href]")) {
    link.href = addressOf({ ...state, unit: valueOf(link, "unit") });
    setCurrent(link, valueOf(link, "unit") === state.unit);
  }
  if (section.hidden) return;
  costs ??= JSON.parse(document.getElementById("units").textContent);
  const { H } = network();
  const unit = Number(state.unit);
  const of = (column) => costs[column][unit];
  document.title = `Unit ${unit} - ${TITLE}`;
  document.getElementById("unit-heading").textContent = `Unit ${unit}`;
  setAddress("unit-back", state.index === "" ? undefined : { unit: "" });
  setText("unit-back", `Back to index ${state.index}`);
  const { noun, items } = payload;
  setFacts("unit-facts", {
    "cost of leaving it out": `${points(of("cost"))} of accuracy (${of("broken")} ${items} are `
      + `right only with it, ${of("fixed")} only without it)`,
    p: `${pValue(of("p"))}, of McNemar's exact test, adjusted by Holm's method for all ${H} units`,
    [`${noun} that suffers most`]: of("class_cost") > 0
      ? `${called[of("class")]}, ${points(of("class_cost"))} of its recall`
      : "none",
    "predictions that change": percent(of("changed")),
    "mean activation": `${of("mean").toFixed(2)}, standard deviation ${of("std").toFixed(2)}`,
  });
  setText("unit-speaks", speaksText(unit));
  setText("unit-here", state.index === "" ? "" : hereText(Number(state.index), unit));
  const picture = document.getElementById("unit-picture");
  paintWeights(picture, unit);
  picture.setAttribute("aria-label", `Weights of unit ${unit} from the pixels`);
  showOutputs(unit);
  document.getElementById("unit-examples").replaceChildren(...of("examples").map(tile));
  setText("unit-examples-classes", examplesText(of("examples"), unit));
  for (const [id, other] of [["unit-previous", unit - 1], ["unit-next", unit + 1]]) {
    setAddress(id, other in costs.cost ? { unit: String(other) } : undefined);
    setText(id, `Unit ${other}`);
  }
}

/** A unit's weights to the classes. */
function outputWeights(unit) {
  const { W2, C } = network();
  return names.map((_, label) => W2[unit * C + label]);
}

/** Which classes the unit speaks for and against most. */
function speaksText(unit) {
  const weights = outputWeights(unit);
  const [most, least] = [Math.max(...weights), Math.min(...weights)];
  const parts = [];
  if (most > 0) parts.push(`most for ${called[weights.indexOf(most)]} (${signed(most)})`);
  if (least < 0) parts.push(`most against ${called[weights.indexOf(least)]} (${signed(least)})`);
  if (parts.length === 0) return "It speaks for and against nothing.";
  return `Active, it speaks ${parts.join(" and ")}.`;
}

/** Of which class most of the samples are that activate the unit most, and its weight to that. */
function examplesText(examples, unit) {
  const labels = examples.map((index) => actual[index]);
  const counts = names.map((_, label) => labels.filter((each) => each === label).length);
  const most = Math.max(...counts);
  const label = counts.indexOf(most);
  const weight = signed(outputWeights(unit)[label]);
  return `${most} of these ${labels.length} ${most === 1 ? "is" : "are"} ${called[label]}, `
    + `to which its weight is ${weight}.`;
}

/** What the unit does for a sample. */
function hereText(index, unit) {
  const seen = look(pixelsOf(index));
  const [c, k] = usualPair(seen, actual[index]);
  const evidence = k === undefined
    ? ""
    : `, which gives ${signed(unitEvidence(seen, c, k)[unit])} nats `
      + `for ${called[c]} against ${called[k]}`;
  return `For index ${index}: ${activationText(seen, unit)}${evidence}.`;
}

/** The unit's weights of the second layer as bars. */
function showOutputs(unit) {
  const weights = outputWeights(unit);
  const most = Math.max(...weights.map(Math.abs)) || 1;
  setRows(document.getElementById("unit-outputs"), names.map((_, label) => {
    const bar = element("span", "", { class: `bar ${weights[label] < 0 ? "below" : "above"}` });
    bar.style.setProperty("--probability", Math.abs(weights[label]) / most);
    const cell = element("td", "");
    cell.append(element("span", signed(weights[label]), { class: "number" }), bar);
    const row = element("tr", "");
    row.append(headOf(label), cell);
    return row;
  }), weights.map(Math.abs));
}
