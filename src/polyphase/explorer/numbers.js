// Numbers: written for people, and the little linear algebra that layers need.

const range = (count) => Array.from({ length: count }, (_, index) => index);
const table = (rows, columns, value) =>
  range(rows).map((row) => range(columns).map((column) => value(row, column)));
const mapped = (numbers, change) =>
  numbers.map((row, r) => row.map((number, c) => change(number, r, c)));
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const product = (numbers) => numbers.reduce((total, number) => total * number, 1);
const modulo = (number, period) => ((number % period) + period) % period;
const shapeOf = (numbers) => [numbers.length, numbers[0].length];
const count = (number, one) => `${grouped(number)} ${one}${number === 1 ? "" : "s"}`;

/** Write a number in a few digits: "0.5", "−1.25", "1.2e−16"; never "-0". */
function short(number, digits = 4) {
  if (!Number.isFinite(number)) return number > 0 ? "∞" : number < 0 ? "−∞" : "not a number";
  return String(Number(number.toPrecision(digits)) || 0)
    .replace("-", "−")
    .replace("e-", "e−");
}

/** Write a number that stands in a cell: what is less than a thousandth is 0 there. */
const inCell = (number) => (Math.abs(number) < 5e-4 ? "0" : short(number, 3));

/** The same where cells are narrow: two decimals at most. */
const inNarrowCell = (number) => inCell(Math.round(100 * number) / 100);

const grouped = (number) => number.toLocaleString("en");

function greatestDifference(one, other) {
  return Math.max(0, ...one.flatMap((row, r) => row.map((n, c) => Math.abs(n - other[r][c]))));
}

const norm = (numbers) => Math.sqrt(sum(numbers.flat().map((number) => number * number)));

function multiplied(left, right) {
  return table(left.length, right[0].length, (r, c) =>
    sum(left[r].map((number, i) => number * right[i][c])),
  );
}

const transposedTable = (numbers) =>
  table(numbers[0].length, numbers.length, (r, c) => numbers[c][r]);

/** Solve `matrix x = columns` by elimination; the matrix is symmetric and positive. */
function solved(matrix, columns) {
  const size = matrix.length;
  const rows = matrix.map((row, r) => [...row, ...columns[r]]);
  for (const pivot of range(size)) {
    const best = range(size)
      .slice(pivot)
      .reduce((a, b) => (Math.abs(rows[b][pivot]) > Math.abs(rows[a][pivot]) ? b : a));
    [rows[pivot], rows[best]] = [rows[best], rows[pivot]];
    const scale = rows[pivot][pivot];
    rows[pivot] = rows[pivot].map((number) => number / scale);
    range(size)
      .filter((r) => r !== pivot)
      .forEach((r) => {
        const factor = rows[r][pivot];
        rows[r] = rows[r].map((number, c) => number - factor * rows[pivot][c]);
      });
  }
  return rows.map((row) => row.slice(size));
}

/** The least-squares inverse of a matrix whose columns are independent. */
function pseudoInverse(matrix) {
  const adjoint = transposedTable(matrix);
  return solved(multiplied(adjoint, matrix), adjoint);
}

/** The same numbers in [0, 1) for the same seed (Marsaglia's xorshift; the first few are alike). */
function generator(seed) {
  let state = Math.imul(seed + 1, 2654435761);
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  range(8).forEach(next);
  return next;
}

/** The size of the wave of these frequencies (cycles per output) in an output. */
function wave(output, [vertical, horizontal]) {
  let [real, imaginary] = [0, 0];
  output.forEach((row, r) =>
    row.forEach((number, c) => {
      const angle = -2 * Math.PI * (vertical * r + horizontal * c);
      real += number * Math.cos(angle);
      imaginary += number * Math.sin(angle);
    }),
  );
  return Math.hypot(real, imaginary);
}

/** The magnitudes of the discrete Fourier transform, frequency 0 first: rows, then columns. */
function spectrumOf(output) {
  const [height, width] = shapeOf(output);
  const across = alongRows(
    output,
    output.map((row) => row.map(() => 0)),
    width,
  );
  const down = alongRows(transposedTable(across.real), transposedTable(across.imaginary), height);
  return table(height, width, (r, c) => Math.hypot(down.real[c][r], down.imaginary[c][r]));
}

function alongRows(real, imaginary, size) {
  const cosines = range(size).map((k) => Math.cos((2 * Math.PI * k) / size));
  const sines = range(size).map((k) => Math.sin((2 * Math.PI * k) / size));
  const turned = (r, frequency, part) => {
    let total = 0;
    for (let n = 0; n < size; n += 1) {
      const place = (frequency * n) % size;
      total += part(real[r][n], imaginary[r][n], cosines[place], sines[place]);
    }
    return total;
  };
  return {
    real: table(real.length, size, (r, k) => turned(r, k, (a, b, cos, sin) => a * cos + b * sin)),
    imaginary: table(real.length, size, (r, k) =>
      turned(r, k, (a, b, cos, sin) => b * cos - a * sin),
    ),
  };
}
