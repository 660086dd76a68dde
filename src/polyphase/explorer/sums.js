// What makes an output, and where an input goes: marked in the grids and written as a sum.

const MOST_TERMS = 16;
const FEW_TERMS = 6;
const names = (places) => new Set(places.map((place) => place.join()));

/** Mark what one output of the chosen layer is made of, and write its sum. */
function showSum(app, place) {
  const { axes, kernel, x, output } = app.numbers.chosen;
  const { terms, taps } = termsOf(axes, kernel, x, place);
  app.mark({ read: names(terms.map((term) => term.place)), kernel: taps, gives: names([place]) });
  app.say(
    `${capital(placeName(place, output.length))}: ${sumText(terms, output[place[0]][place[1]])}`,
  );
}

/** The same of an output of the last layer, which another layer than the chosen one makes. */
function showEnd(app, place) {
  const { axes, kernel, x, output } = app.numbers.parts.at(-1);
  const { terms } = termsOf(axes, kernel, x, place);
  app.mark({ end: names([place]) });
  app.say(
    `At the end, ${placeName(place, output.length)}: ${sumText(terms, output[place[0]][place[1]])}`,
  );
}

/** Mark where one input of the chosen layer goes. */
function showReach(app, place) {
  const { axes, kernel, x } = app.numbers.chosen;
  const reached = reachOf(axes, kernel, place);
  app.mark({ read: names([place]), gives: names(reached.map((one) => one.place)) });
  const value = short(x[place[0]][place[1]]);
  const weights = short(sum(reached.map(({ weight }) => weight)));
  app.say(
    `Input ${placeName(place, x.length)} is ${value}. It goes to ` +
      `${count(reached.length, "output")}, with weights that add up to ${weights}.`,
  );
}

/** Write a sum out: weight × input, and what it comes to. Of many inputs those of 0 are only counted. */
function sumText(terms, total) {
  if (!terms.length) return "no tap reaches an input here, so it is 0.";
  const filled = terms.length > FEW_TERMS ? terms.filter(({ input }) => input !== 0) : terms;
  const shown = filled.slice(0, MOST_TERMS);
  const text = shown
    .map(({ weight, input }, index) => {
      const sign = weight < 0 ? (index ? " − " : "−") : index ? " + " : "";
      return `${sign}${short(Math.abs(weight))} × ${input < 0 ? `(${short(input)})` : short(input)}`;
    })
    .join("");
  const left = filled.length - shown.length;
  const zeros = terms.length - filled.length;
  const nothing = zeros
    ? `${count(zeros, "input")} of 0 ${zeros === 1 ? "adds" : "add"} nothing`
    : "";
  if (!filled.length) return `${nothing}: 0.`;
  return `${text}${left ? ` + ${left} more` : ""} = ${short(total)}${nothing && `; ${nothing}`}.`;
}

const capital = (words) => words[0].toUpperCase() + words.slice(1);
