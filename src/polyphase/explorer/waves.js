// The panel of the spectrum: the waves in the output, and those of the layer's period.

const FINEST = 12; // waves whose magnitudes are listed

function spectrumPanel(chosen, rank) {
  const { spectrum, harmonics } = chosen;
  const says = strongestWords(harmonics);
  const picture =
    rank === 2 ? waveMap(spectrum, harmonics, says) : waveBars(spectrum[0], harmonics, says);
  const reading =
    rank === 2
      ? "In the middle the constant part, towards the edges ever finer waves; the stronger a wave, the more " +
        "it stands out. Rings mark"
      : "Left the constant part, right the finest wave, in powers of ten. Lines mark";
  return [
    paragraph(says),
    drawn(picture),
    small(`Every output is a sum of waves. ${reading} waves that repeat with the layer’s period.`),
    ...magnitudes(harmonics, factorsOf(chosen), rank),
  ];
}

function strongestWords([constant, ...others]) {
  if (!others.length) return "This layer has no period: its factor is 1.";
  if (constant.magnitude < 1e-9) return "The output has no constant part to compare with.";
  const strongest = Math.max(...others.map(({ magnitude }) => magnitude));
  const share = inCell((100 * strongest) / constant.magnitude);
  return `The strongest wave of its period is ${share} % of the constant part.`;
}

function magnitudes([constant, ...others], factors, rank) {
  const name = ({ phase }) =>
    phase
      .map((p, i) => `${p}/${factors[i]}`)
      .slice(2 - rank)
      .join(", ");
  const size = ({ magnitude }) => short(magnitude < 1e-9 ? 0 : magnitude, 3);
  const listed = others.filter(isFirstOfTwins).slice(0, FINEST);
  if (!listed.length) return [];
  return [
    small(`Magnitudes, by waves per output (the constant part: ${size(constant)}):`),
    make(
      "ul",
      { className: "harmonics" },
      ...listed.map((one) => make("li", {}, `${name(one)}: ${size(one)}`)),
    ),
  ];
}

/** Of a wave and its mirror image, which are equally strong, one is enough. */
function isFirstOfTwins({ frequency: [vertical, horizontal] }) {
  const mirrored = (one) => (one === 0 ? 0 : 1 - one);
  const apart = vertical - mirrored(vertical);
  return apart < -1e-9 || (apart < 1e-9 && horizontal <= mirrored(horizontal) + 1e-9);
}

/** The magnitudes as a map on a logarithmic scale of three decades, the constant in the middle. */
function waveMap(spectrum, harmonics, label) {
  const shape = shapeOf(spectrum);
  const half = shape.map((size) => Math.floor(size / 2));
  const greatest = Math.max(...spectrum.flat()) || 1;
  const levels = table(...shape, (r, c) => {
    const magnitude = spectrum[modulo(r - half[0], shape[0])][modulo(c - half[1], shape[1])];
    return Math.max(0, 1 + Math.log10(magnitude / greatest || 1e-9) / 3);
  });
  const place = (frequency, i) => modulo(frequency[i] * shape[i] + half[i], shape[i]) + 0.5;
  const radius = Math.max(0.6, shape[1] / 24);
  const rings = harmonics
    .slice(1)
    .map(
      ({ frequency }) =>
        `<circle class="ring" cx="${place(frequency, 1)}" cy="${place(frequency, 0)}" r="${radius}"/>`,
    );
  return levelMap(levels, { label, marks: rings.join("") });
}

/** The magnitudes of a signal as bars, on the same scale. */
function waveBars(spectrum, harmonics, label) {
  const greatest = Math.max(...spectrum) || 1;
  const x = (frequency) => (10 + frequency * 580).toFixed(1);
  const height = (magnitude) => Math.max(0, 90 + 30 * Math.log10(magnitude / greatest || 1e-9));
  const drawnBars = range(Math.floor(spectrum.length / 2) + 1).map(
    (k) => `<path d="M${x(k / spectrum.length)} 104v-${height(spectrum[k]).toFixed(1)}"/>`,
  );
  const marked = harmonics
    .slice(1)
    .filter(isFirstOfTwins)
    .map(
      ({ frequency, phase }) =>
        `<path class="harmonic" d="M${x(frequency[1])} 8v96"/>` +
        `<text x="${x(frequency[1])}" y="120">${phase[1]}/${harmonics.length}</text>`,
    );
  return (
    `<svg class="waves" role="img" aria-label="${label}" viewBox="0 0 316 126">` +
    `<path class="rule" d="M4 104H306"/>${marked.join("")}<g>${drawnBars.join("")}</g>` +
    '<text x="10" y="120">0</text></svg>'
  );
}
