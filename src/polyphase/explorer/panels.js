// The panels below the stage: a question each, what it comes to, a picture, and the formula.

const drawn = (svg) => {
  const holder = make("div", { className: "picture" });
  holder.innerHTML = svg;
  return holder;
};
const factorsOf = ({ axes }) => axes.map(({ s }) => s);

const PANELS = {
  phases: phasePanel,
  overlap: overlapPanel,
  constant: constantPanel,
  spectrum: spectrumPanel,
  equal: equalPanel,
  cost: costPanel,
};

function showPanels({ numbers, state }) {
  Object.entries(PANELS).forEach(([id, panel]) =>
    document.getElementById(id).replaceChildren(...panel(numbers.chosen, state.rank)),
  );
}

const TAPS_OF_PHASES = {
  interpolate: "",
  interpolate_conv: "Taps of the convolution that meet the same input are added up.",
  conv_transpose: "Every tap of the kernel is in one phase.",
  sub_pixel: "",
};

/** The small kernel of every phase, in its colour. */
function phasePanel(chosen, rank) {
  const factors = factorsOf(chosen);
  if (product(factors) === 1) {
    const same = "With a factor of 1 there is one phase: every output is made by the same taps.";
    return [paragraph(same), phaseTables(chosen, rank)];
  }
  const outputs = rank === 2 ? factors.join("×") : factors[1];
  const sums =
    rank === 2
      ? "y[s·i + p, s·j + q] = Σ taps of phase (p, q) × x around (i, j)."
      : "y[s·i + p] = Σ taps of phase p × x around i.";
  return [
    paragraph(
      `Every input has ${outputs} outputs. Each place among them is a phase, and each phase is a ` +
        `small convolution of the input with taps of its own. ${TAPS_OF_PHASES[chosen.layer.kind]}`,
    ),
    phaseTables(chosen, rank),
    small(`${sums} A tap at +1 reads the input one further.`),
  ];
}

function phaseTables(chosen, rank) {
  const factors = factorsOf(chosen);
  const tables = chosen.phases.map((one) => phaseTable(one, factors, rank));
  return make("div", { className: "tables phases", style: `--columns:${factors[1]}` }, ...tables);
}

function phaseTable({ phase, first, taps, gain }, factors, rank) {
  const place = (numbers) => (rank === 2 ? `(${numbers.join(", ")})` : numbers[1]);
  const name = [make("b", {}, phaseLetter(phase, factors)), ` · phase ${place(phase)}`];
  if (!taps.length) return make("p", {}, ...name, ": no tap, always 0");
  const signed = first.map((offset) => (offset > 0 ? `+${offset}` : short(offset)));
  const words = `first tap at ${place(signed)}, sum ${inCell(gain)}`;
  const colour = phaseColour(phase, factors);
  const caption = make("span", {}, ...name, make("br"), words);
  return matrix(taps, caption, () => ({ phase: colour }));
}

/** How many taps every output gets. */
function overlapPanel({ layer, overlaps: { counts, border }, phases }) {
  const inner = counts.flatMap((row, r) => row.filter((_, c) => !border[r][c]));
  const says = overlapWords(inner, layer.kind === "interpolate" ? "inputs" : "taps");
  const greatest = Math.max(...counts.flat(), 1);
  const levels = mapped(counts, (number) => (0.75 * number) / greatest);
  const label = `${says} A map of ${counts.length}×${counts[0].length} numbers.`;
  const empty = "A phase without a tap is always 0: the kernel is smaller than the stride.";
  const outside = border.flat().some(Boolean) ? "Striped: some taps lie" : "No tap lies";
  return [
    paragraph(says),
    ...(phases.some(({ taps }) => !taps.length) ? [small(empty)] : []),
    drawn(levelMap(levels, { label, texts: counts, striped: border })),
    small(`${outside} outside of the input.`),
  ];
}

function overlapWords(inner, things) {
  if (!inner.length) return "The input is so small that everywhere some taps fall outside.";
  const [low, high] = [Math.min(...inner), Math.max(...inner)];
  if (low === high) return `Yes: away from the border every output gets ${low} ${things}.`;
  return (
    `No: away from the border an output gets between ${low} and ${high} ${things}. ` +
    "Even with equal weights that shows as a pattern."
  );
}

/** What a constant comes out as, and chi. */
function constantPanel(chosen) {
  const { gains, mean, chi, pattern } = chosen.constant;
  const [low, high] = [Math.min(...gains.flat()), Math.max(...gains.flat())];
  const even = chi < 1e-9;
  const says = even
    ? `Yes: a constant 1 comes out as ${inCell(mean)} everywhere away from the border.`
    : `No: a constant 1 comes out between ${inCell(low)} and ${inCell(high)}, in a pattern that repeats.`;
  const rows = (pattern ?? []).map((row) => row.map(inCell).join(" ")).join(" / ");
  const relative = pattern
    ? `Divided by its mean ${inCell(mean)}: ${rows}.`
    : "Its mean is 0: nothing but pattern.";
  const levels = mapped(gains, (gain) => (even ? 0.35 : (0.75 * (gain - low)) / (high - low)));
  return [
    paragraph(says),
    make("p", { className: "figure" }, make("b", {}, "χ"), ` = ${short(even ? 0 : chi, 3)}`),
    drawn(repeatedMap(levels, gains, `${says} ${relative}`)),
    small(
      `${even ? "" : `${relative} `}χ = spread of the phases’ sums ÷ their mean: 0 is even, 1 is a ` +
        "pattern as strong as the signal.",
    ),
  ];
}

/** A period with its numbers, and more of them beside it. */
function repeatedMap(levels, numbers, label) {
  const [rows, columns] = shapeOf(levels);
  const periods = rows === 1 ? [1, 4] : [Math.ceil(8 / rows), Math.ceil(8 / columns)];
  const shape = [rows * periods[0], columns * periods[1]];
  const texts = table(...shape, (r, c) =>
    r < rows && c < columns ? inNarrowCell(numbers[r][c]) : "",
  );
  return levelMap(
    table(...shape, (r, c) => levels[r % rows][c % columns]),
    { label, texts },
  );
}

/** The multiply-adds of every way. */
function costPanel({ costs }) {
  const least = Math.min(...costs.map(([, number]) => number));
  const says =
    costs.length > 1
      ? `Multiply-adds on this input. Each way gives the same numbers; the least is ${grouped(least)}.`
      : "Nearest upsampling only copies.";
  return [paragraph(says), bars(costs, "multiply-adds")];
}
