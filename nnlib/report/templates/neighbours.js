// The training samples that are nearest to a mistake, as nnlib.analysis.neighbours finds them.

const SPACE_NAMES = {
  activations: "By the activations of the hidden units",
  pixels: "By pixels",
};

let nearest; // once it is needed: the page is shown before

function neighbours() {
  const held = JSON.parse(document.getElementById("neighbours-payload").textContent);
  const numbers = (name) => new Uint32Array(bytes(held[name]).buffer);
  const trainIndex = numbers("trainIndex");
  return {
    spaces: held.spaces,
    images: inflate(bytes(held.images), trainIndex.length * PIXELS),
    mistakes: numbers("mistakes"),
    trainIndex,
    places: numbers("places"),
    labels: bytes(held.labels),
    distances: floats(held.distances),
  };
}

/** Show those of the sample that is open, if it is a mistake; its index is empty where none is. */
function showNeighbours(text) {
  const section = document.getElementById("neighbours");
  if (!section) return;
  const index = Number(text);
  section.hidden = text === "" || actual[index] === predicted[index];
  if (section.hidden) return;
  if (document.getElementById("neighbours-payload")) nearest ??= neighbours();
  const mistake = nearest ? nearest.mistakes.indexOf(index) : -1;
  document.getElementById("neighbours-left-out").hidden = mistake !== -1;
  document.getElementById("neighbours-held").hidden = mistake === -1;
  if (mistake === -1) return;
  const lists = nearest.spaces.flatMap((_, space) => neighbourList(mistake, space));
  document.getElementById("neighbours-lists").replaceChildren(...lists);
}

/** The heading and the list of the neighbours in a space, the nearest first. */
function neighbourList(mistake, space) {
  const { mistakes, spaces, places } = nearest;
  const k = places.length / mistakes.length / spaces.length;
  const first = (mistake * spaces.length + space) * k;
  const id = `neighbours-${spaces[space]}`;
  const list = element("ol", "", { class: "tiles", "aria-labelledby": id });
  for (let i = first; i < first + k; i++) list.append(neighbourTile(mistakes[mistake], i));
  return [element("h3", SPACE_NAMES[spaces[space]], { id }), list];
}

function neighbourTile(index, i) {
  const { places, labels, trainIndex, distances } = nearest;
  const place = places[i];
  const label = labels[place];
  const canvas = element("canvas", "", { "aria-hidden": "true" });
  paintImage(canvas, pixelsAt(nearest.images, place));
  const tags = { [actual[index]]: "as the actual", [predicted[index]]: "as predicted" };
  const item = element("li", "");
  item.append(
    canvas,
    nameOf(`labelled ${called[label]}`),
    ...(label in tags ? [element("span", tags[label])] : []),
    element("span", distances[i].toPrecision(3), { class: "quiet" }),
    element("span", `#${trainIndex[place]}`, { class: "quiet" }),
  );
  return item;
}
