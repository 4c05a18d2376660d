// The quiz: #quiz=1&guesses=4-9- asks for the samples that the filters let through, in the order
// that the seed 1 gives them. The guesses are labels. A hyphen at the end asks for the next sample;
// without it the last guess stands beside the network's prediction.

const quiz = document.getElementById("quiz");
// What to press for each of a few classes: its name where all are numerals, or else its number.
const areNumerals = names.every((name) => /^\d$/.test(name));
const quizKeys = IS_MANY ? [] : names.map((name, label) => (areNumerals ? name : String(label)));
const quizNames = document.getElementById("quiz-names"); // the list of many

/** Return a function that draws a number of [0, 1): mulberry32, by Tommy Ettinger. */
function randomNumbers(seed) {
  let counter = seed;
  return () => {
    counter = (counter + 0x6d2b79f5) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 15), counter | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shuffle as Fisher and Yates do: all orders are as likely, and a seed always gives the same. */
function shuffled(values, seed) {
  const order = [...values];
  const draw = randomNumbers(seed);
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** Say which samples the quiz is about: how many the filters let through, and the filters, but not
 * which classes were chosen, as that would be the answer. */
function quizChoice() {
  const filters = [];
  if (state.actual !== "" || state.predicted !== "") filters.push("of your choice");
  if (state.outcome !== "") filters.push(form.elements.outcome.selectedOptions[0].textContent);
  if (state.from !== DEFAULTS.from || state.to !== DEFAULTS.to) {
    filters.push(`confidence from ${state.from} to ${state.to}%`);
  }
  const chosen = filters.length ? ` (${filters.join(", ")})` : "";
  return `${countOfResults()}${chosen}, shuffled: order ${state.quiz}.`;
}

function showQuiz(ignored) {
  quiz.hidden = state.quiz === "";
  document.getElementById("explorer").hidden = !quiz.hidden;
  document.getElementById("skips").hidden = !quiz.hidden;
  setAddress("quiz-hard", { ...NOTHING_OPEN, to: "70", quiz: "1" });
  if (quiz.hidden) return;

  const order = shuffled(Uint32Array.from(results).sort(), Number(state.quiz));
  let guesses = state.guesses.split("-");
  if (guesses.length > Math.max(order.length, 1)) { // more than there are samples
    ignored.add("guesses");
    state.guesses = "";
    guesses = [""];
  }
  const question = guesses.length;
  const isAsked = last(guesses) === "";
  document.getElementById("quiz-choice").textContent = quizChoice() + ignoredText(ignored);
  document.getElementById("quiz-body").hidden = order.length === 0;
  const [number, all] = [question, order.length].map((count) => count.toLocaleString("en"));
  const heading = order.length ? `Quiz: ${payload.item} ${number} of ${all}` : "Quiz";
  document.getElementById("quiz-heading").textContent = heading;
  document.title = `${heading} - ${TITLE}`;
  setAddress("quiz-restart", { guesses: "" });
  setAddress("quiz-reorder", { guesses: "", quiz: String((Number(state.quiz) % 9999) + 1) });
  document.getElementById("quiz-question").hidden = !isAsked || order.length === 0;
  const isOver = question >= order.length;
  setAddress("quiz-next", isAsked || isOver ? undefined : { guesses: `${state.guesses}-` });
  if (order.length === 0) return;

  const index = order[question - 1];
  drawSample(document.getElementById("quiz-picture"), index);
  document.getElementById("quiz-network").hidden = isAsked;
  setRows(
    document.querySelector("#quiz-network tbody"),
    isAsked ? [] : probabilityRows(index, { trained }), // nothing to find before the guess
    probabilitiesOf(trained, index),
  );
  if (quizNames && isAsked) quizNames.value = "";
  showAnswer(isAsked ? undefined : index, Number(last(guesses)));
  showScore(order, isAsked ? guesses.slice(0, -1) : guesses);
  setAddress("quiz-details", isAsked ? undefined : { ...NOTHING_OPEN, index: String(index) });
}

function showAnswer(index, guess) {
  const text = index === undefined
    ? ""
    : `Actual: ${called[actual[index]]}. Your guess: ${verdict(index, guess)}. `
      + `The network: ${verdict(index, predicted[index])}, confidence ${percent(keys.confidence[index])}.`;
  setText("quiz-answer", text);
}

function showScore(order, guesses) {
  const rightOnes = (labels) => labels.filter((label, i) => label === actual[order[i]]).length;
  const yours = rightOnes(guesses.map(Number));
  const networks = rightOnes(guesses.map((_, i) => predicted[order[i]]));
  const text = `Right of ${guesses.length}: you ${yours}, the network ${networks}.`;
  setText("quiz-score", guesses.length ? text : "");
}

/** Keep the focus where a key goes on with the quiz: at the question, or at the way to the next. */
function focusQuiz() {
  const next = document.getElementById("quiz-next");
  (next.hidden ? document.getElementById("quiz-heading") : next).focus();
}

function guess(label) {
  goTo(addressOf({ ...state, guesses: state.guesses + label }));
}

if (quizNames) {
  document.getElementById("quiz-guess").addEventListener("click", () => {
    if (quizNames.value === "") quizNames.focus();
    else guess(Number(quizNames.value));
  });
} else {
  document.getElementById("quiz-guesses").append(...called.map((name, label) => {
    const key = quizKeys[label];
    const button = element("button", name, { type: "button", "aria-keyshortcuts": key });
    if (key !== name) button.append(" ", element("kbd", key));
    button.addEventListener("click", () => guess(label));
    return button;
  }));
}
// Only where the focus is in the quiz, so that speech input does not guess by mistake.
quiz.addEventListener("keydown", (event) => {
  const label = quizKeys.indexOf(event.key);
  const isAsked = !document.getElementById("quiz-question").hidden;
  if (label === -1 || !isAsked || event.ctrlKey || event.metaKey || event.altKey) return;
  guess(label);
});
document.getElementById("quiz-start").addEventListener("click", () => {
  goTo(addressOf({ ...state, ...NOTHING_OPEN, quiz: "1" }));
});
document.getElementById("quiz-leave").addEventListener("click", () => {
  goTo(addressOf({ ...state, ...NO_QUIZ }));
});
