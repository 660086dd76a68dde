// The panels below the stage: a question each, a picture, what it says, and the formula.

const paragraph = (words, className = "") => make("p", { className }, words);
const small = (words) => paragraph(words, "small");
const drawn = (svg) => {
  const holder = make("div", { className: "picture" });
  holder.innerHTML = svg;
  return holder;
};
const factorsOf = ({ axes }) => axes.map(({ s }) => s);

function showPanels(app) {
  const { numbers, state } = app;
  const panels = { phases: phasePanel, overlap: overlapPanel, constant: constantPanel, spectrum: spectrumPanel, equal: equalPanel, cost: costPanel };
  Object.entries(panels).forEach(([id, panel]) =>
    document.getElementById(id).replaceChildren(...panel(numbers.chosen, state.rank)));
}

/** The small kernel of every phase, in its colour. */
function phasePanel(chosen, rank) {
  const factors = factorsOf(chosen);
  if (product(factors) === 1) {
    return [paragraph("With a factor of 1 there is one phase: every output is made by the same taps."), phaseTables(chosen, rank)];
  }
  const each = { interpolate_conv: "Taps of the convolution that meet the same input are added up.", conv_transpose: "Every tap of the kernel is in one phase." }[chosen.layer.kind] ?? "";
  return [
    paragraph(`Between two inputs lie ${rank === 2 ? factors.join("×") : factors[1]} outputs. Each place among them is a phase, and each phase is a small convolution of the input with taps of its own. ${each}`),
    phaseTables(chosen, rank),
    small(rank === 2
      ? "y[s·i + p, s·j + q] = Σ taps of phase (p, q) × x around (i, j). A tap at +1 reads the input one further."
      : "y[s·i + p] = Σ taps of phase p × x around i. A tap at +1 reads the input one further."),
  ];
}

function phaseTables(chosen, rank) {
  const factors = factorsOf(chosen);
  const signed = (offset) => (offset > 0 ? `+${offset}` : short(offset));
  const tables = chosen.phases.map(({ phase, first, taps, gain }) => {
    const letter = phaseLetter(phase, factors);
    const place = rank === 2 ? `phase (${phase.join(", ")})` : `phase ${phase[1]}`;
    if (!taps.length) return make("div", {}, paragraph(`${letter}, ${place}: no tap, always 0`));
    const start = first.slice(2 - rank).map(signed).join(", ");
    const colour = phaseColour(phase, factors);
    const caption = make("span", {}, make("b", {}, letter), ` · ${place}`, make("br"), `first tap at ${rank === 2 ? `(${start})` : start}, sum ${inCell(gain)}`);
    return matrix(taps, caption, () => ({ phase: colour }));
  });
  return make("div", { className: "tables phases", style: `--columns:${factors[1]}` }, ...tables);
}

/** How many taps every output gets. */
function overlapPanel({ layer, overlaps: { counts, border }, phases }) {
  const greatest = Math.max(...counts.flat());
  const inner = new Set(counts.flatMap((row, r) => row.filter((_, c) => !border[r][c])));
  const [low, high] = [Math.min(...inner), Math.max(...inner)];
  const things = layer.kind === "interpolate" ? "inputs" : "taps";
  const says = !inner.size ? "Everywhere some taps fall outside: the input is small." : low === high
    ? `Yes: away from the border every output gets ${low} ${things}.`
    : `No: away from the border an output gets between ${low} and ${high} ${things}. Even with equal weights that shows as a pattern.`;
  const label = `${says} A map of ${counts.length}×${counts[0].length} numbers.`;
  const empty = phases.some(({ taps }) => !taps.length) ? [small("A phase without a tap is always 0: the kernel is smaller than the stride.")] : [];
  return [
    paragraph(says), ...empty,
    drawn(levelMap(mapped(counts, (n) => 0.75 * n / (greatest || 1)), { label, texts: counts, striped: border })),
    small(border.flat().some(Boolean) ? "Striped: some taps lie outside of the input." : "No tap lies outside of the input."),
  ];
}

/** What a constant comes out as, and chi. */
function constantPanel(chosen) {
  const { gains, mean, chi, pattern } = chosen.constant;
  const [low, high] = [Math.min(...gains.flat()), Math.max(...gains.flat())];
  const even = chi < 1e-9;
  const says = even
    ? `Yes: a constant 1 comes out as ${inCell(mean)} everywhere away from the border.`
    : `No: a constant 1 comes out between ${inCell(low)} and ${inCell(high)}, in a pattern that repeats.`;
  const [rows, columns] = shapeOf(gains);
  const periods = rows === 1 ? [1, 4] : [Math.ceil(8 / rows), Math.ceil(8 / columns)];
  const tiled = table(rows * periods[0], columns * periods[1], (r, c) => gains[r % rows][c % columns]);
  const levels = mapped(tiled, (gain) => (even ? 0.35 : 0.75 * (gain - low) / (high - low)));
  const shown = mapped(tiled, (gain, r, c) => (r < rows && c < columns ? inNarrowCell(gain) : ""));
  const relative = pattern ? `Divided by its mean ${inCell(mean)}: ${pattern.map((row) => row.map(inCell).join(" ")).join(" / ")}.` : "Its mean is 0: nothing but pattern.";
  return [
    paragraph(says),
    make("p", { className: "figure" }, make("b", {}, "χ"), ` = ${short(even ? 0 : chi, 3)}`),
    drawn(levelMap(levels, { label: `${says} ${relative}`, texts: shown })),
    small(`${even ? "" : `${relative} `}χ = spread of the phases’ sums ÷ their mean: 0 is even, 1 is a pattern as strong as the signal.`),
  ];
}

/** The waves in the output, and those of the layer's period. */
function spectrumPanel(chosen, rank) {
  const factors = factorsOf(chosen);
  const { spectrum, harmonics } = chosen;
  const constant = harmonics[0].magnitude;
  const [strongest] = harmonics.slice(1).sort((a, b) => b.magnitude - a.magnitude);
  const share = strongest && constant > 1e-9 ? strongest.magnitude / constant : null;
  const says = !strongest ? "This layer has no period: its factor is 1."
    : share === null ? "The output has no constant part to compare with."
      : `The strongest wave of its period is ${short(100 * share, 2)} % of the constant part.`;
  const name = ({ phase }) => (rank === 2 ? phase.map((p, i) => `${p}/${factors[i]}`).join(", ") : `${phase[1]}/${factors[1]}`);
  const list = harmonics.slice(1).filter(isFirstOfTwins).slice(0, 12).map((one) => make("li", {}, `${name(one)}: ${short(one.magnitude < 1e-9 ? 0 : one.magnitude, 3)}`));
  return [
    paragraph(says),
    drawn(rank === 2 ? waveMap(spectrum, harmonics, says) : waveBars(spectrum[0], harmonics, says)),
    small(rank === 2
      ? "Every output is a sum of waves. In the middle the constant part, towards the edges ever finer waves; the stronger a wave, the more it stands out. Rings mark waves that repeat with the layer’s period."
      : "Every output is a sum of waves: left the constant part, right the finest wave, in powers of ten. Lines mark waves that repeat with the layer’s period."),
    ...(list.length ? [small(`Magnitudes, by waves per output (the constant part: ${short(constant, 3)}):`), make("ul", { className: "harmonics" }, ...list)] : []),
  ];
}

/** Of a wave and its mirror image, which are equally strong, one is enough. */
function isFirstOfTwins({ frequency }) {
  const mirrored = frequency.map((one) => (one === 0 ? 0 : 1 - one));
  return frequency[0] < mirrored[0] - 1e-9 || (frequency[0] <= mirrored[0] + 1e-9 && frequency[1] <= mirrored[1] + 1e-9);
}

function waveMap(spectrum, harmonics, label) {
  const [rows, columns] = shapeOf(spectrum);
  const greatest = Math.max(...spectrum.flat()) || 1;
  const half = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const levels = table(rows, columns, (r, c) =>
    Math.max(0, 1 + Math.log10(spectrum[modulo(r - half[0], rows)][modulo(c - half[1], columns)] / greatest || 1e-9) / 3));
  const place = (frequency, size, middle) => modulo(frequency * size + middle, size) + 0.5;
  const rings = harmonics.slice(1).map(({ frequency }) =>
    `<circle class="ring" cx="${place(frequency[1], columns, half[1])}" cy="${place(frequency[0], rows, half[0])}" r="${Math.max(0.6, columns / 24)}"/>`);
  return levelMap(levels, { label, marks: rings.join("") });
}

/** The multiply-adds of every way. */
const costPanel = ({ costs }) => {
  const [least] = [...costs].sort((a, b) => a[1] - b[1]);
  return [
    paragraph(costs.length > 1 ? `Multiply-adds on this input, each way gives the same numbers; the least is ${grouped(least[1])}.` : "Nearest upsampling only copies."),
    bars(costs, "multiply-adds"),
  ];
};
