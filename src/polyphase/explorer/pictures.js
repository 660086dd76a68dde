// Pictures of numbers: maps, small tables, bars and curves.

// A colour per phase: rows are families of Okabe and Ito's colours, columns go from dark to light.
const FAMILIES = [
  ["#0072b2", "#56b4e9"],
  ["#d55e00", "#e69f00"],
  ["#009e73", "#7fcfae"],
  ["#a3508a", "#dfa3c8"],
  ["#5c5c5c", "#b0a58f"],
];

function phaseColour([p, q], [rows, columns]) {
  if (rows === 1) return FAMILIES[q][0];
  const [dark, light] = FAMILIES[p];
  const share = columns === 1 ? 0 : q / (columns - 1);
  const mixed = [1, 3, 5].map((place) => {
    const [a, b] = [dark, light].map((colour) => parseInt(colour.slice(place, place + 2), 16));
    return Math.round(a + share * (b - a))
      .toString(16)
      .padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}

const phaseLetter = ([p, q], [, columns]) => String.fromCharCode(97 + p * columns + q);

/** A map of levels from 0 to 1 as an SVG; cells may have texts and stripes, and marks lie over it. */
function levelMap(levels, { label, texts = null, striped = null, marks = "" }) {
  const [rows, columns] = shapeOf(levels);
  const tall = rows === 1 ? 2 : 1;
  const edge = marks ? 0.3 + columns / 20 : 0.05;
  const each = (write) =>
    levels.flatMap((row, r) => row.map((level, c) => write(r, c, level))).join("");
  const stripes = striped
    ? each((r, c) => (striped[r][c] ? `M${c} ${r + tall}l1 -${tall}` : ""))
    : "";
  const word = (r, c, level) =>
    `<text x="${c + 0.5}" y="${r + tall / 2}" class="${level > 0.5 ? "over-ink" : ""}">${texts[r][c]}</text>`;
  const box = [-edge, -edge, columns + 2 * edge, rows * tall + 2 * edge];
  const width = Math.min(columns * 36, rows === 1 ? 520 : 340);
  return (
    `<svg class="map" role="img" aria-label="${label}" viewBox="${box.join(" ")}" style="max-width:${width}px">` +
    `<rect class="frame" width="${columns}" height="${rows * tall}"/>${shades(levels, tall)}` +
    `<path class="stripes" d="${stripes}"/>${texts && columns <= 12 ? each(word) : ""}${marks}</svg>`
  );
}

/** The cells of a map: a path for all that have the same shade, of twenty. */
function shades(levels, tall) {
  const paths = new Map();
  levels.forEach((row, r) =>
    row.forEach((level, c) => {
      const shade = Math.round(20 * Math.min(Math.max(level, 0), 1)) / 20;
      paths.set(shade, `${paths.get(shade) ?? ""}M${c} ${r}h1v${tall}h-1z`);
    }),
  );
  return [...paths].map(([shade, path]) => `<path d="${path}" fill-opacity="${shade}"/>`).join("");
}

/** A table of numbers with its name; `look(r, c)` may give a cell a colour and a mark. */
function matrix(numbers, caption, look = () => ({})) {
  const rows = numbers.map((row, r) =>
    make(
      "tr",
      {},
      ...row.map((number, c) => {
        const { phase, mark } = look(r, c);
        const cell = make("td", {
          className: phase ? "phased" : "",
          style: phase ? `--phase:${phase}` : "",
        });
        cell.append(...(mark ? [make("small", {}, mark)] : []), make("span", {}, inCell(number)));
        return cell;
      }),
    ),
  );
  return make(
    "table",
    { className: numbers[0].length > 8 ? "matrix wide" : "matrix" },
    make("caption", {}, caption),
    make("tbody", {}, ...rows),
  );
}

/** Bars with their numbers, each as long as its share of the greatest. */
function bars(rows, unit) {
  const greatest = Math.max(...rows.map(([, number]) => number), 1);
  return make(
    "dl",
    { className: "bars" },
    ...rows.map(([name, number]) =>
      make(
        "div",
        {},
        make("dt", {}, name),
        make(
          "dd",
          {},
          make("i", { style: `width:${(100 * number) / greatest}%` }),
          `${grouped(number)} ${unit}`,
        ),
      ),
    ),
  );
}

/** A curve over epochs, on a logarithmic scale from 0.01 to 100, and a mark at one of them. */
function curve(values, current, label) {
  const x = (epoch) => 34 + (epoch / (values.length - 1)) * 280;
  const y = (value) => 84 - (Math.log10(Math.min(Math.max(value, 0.01), 100)) + 2) * 18;
  const points = values
    .map((value, epoch) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`)
    .join(" ");
  const lines = [0.01, 1, 100]
    .map(
      (value) =>
        `<path class="rule" d="M34 ${y(value)}H314"/><text class="tick" x="28" y="${y(value)}">${value}</text>`,
    )
    .join("");
  return (
    `<svg class="curve" role="img" aria-label="${label}" viewBox="0 0 320 102">${lines}` +
    `<polyline points="${points}"/><circle cx="${x(current)}" cy="${y(values[current])}" r="4.5"/>` +
    '<text class="tick first" x="34" y="97">epoch 0</text>' +
    `<text class="tick" x="314" y="97">${values.length - 1}</text></svg>`
  );
}
