// Grids of numbers that are walked by the arrow keys, painted, typed into, and pointed at.

function make(tag, properties = {}, ...children) {
  const { role, aria = {}, style = "", ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  if (role) element.setAttribute("role", role);
  Object.entries(aria).forEach(([name, value]) => element.setAttribute(`aria-${name}`, value));
  if (style) element.style.cssText = style;
  element.append(...children);
  return element;
}

const paragraph = (words, className = "") => make("p", { className }, words);
const small = (words) => paragraph(words, "small");

const MOVES = {
  ArrowUp: ([r, c]) => [r - 1, c],
  ArrowDown: ([r, c]) => [r + 1, c],
  ArrowLeft: ([r, c]) => [r, c - 1],
  ArrowRight: ([r, c]) => [r, c + 1],
  Home: ([r]) => [r, 0],
  End: ([r]) => [r, Infinity],
};
const placeName = ([row, column], rows) =>
  rows === 1 ? `sample ${column + 1}` : `row ${row + 1}, column ${column + 1}`;

/** Where the bar of a signal's value begins, and how tall it is, in shares of the room for bars. */
function barOf(number, { greatest, low }) {
  const share = (value) => value / (greatest - low);
  return `--from:${share(Math.min(number, 0) - low)};--tall:${share(Math.abs(number))}`;
}

/**
 * A grid of cells. `heard` may have: `point(place)` for a cell that is pointed at or focused,
 * `leave()`, `key(place, key)`, which returns whether it knows the key, and `stroke(place, begins)`.
 */
class Grid {
  constructor(label, heard) {
    this.heard = heard;
    this.cells = [];
    this.hot = [];
    this.current = [0, 0];
    this.element = make("div", { role: "grid", className: "grid", aria: { label } });
    this.listen();
  }

  /** Show numbers; `look(r, c)` returns the style, the classes, the mark and the words of a cell. */
  show(numbers, look = () => ({}), scale = 0) {
    const [rows, columns] = shapeOf(numbers);
    if (this.cells.length !== rows || this.cells[0].length !== columns) this.build(rows, columns);
    const greatest = scale || Math.max(...numbers.flat().map(Math.abs)) || 1;
    [
      ["many", 8],
      ["dense", 10],
      ["tiny", 20],
    ].forEach(([name, most]) => this.element.classList.toggle(name, columns > most));
    this.element.classList.toggle("signal", rows === 1);
    const frame = { greatest, low: Math.min(0, ...numbers.flat()) };
    numbers.forEach((row, r) =>
      row.forEach((number, c) => this.fill(r, c, number, frame, look(r, c))),
    );
  }

  build(rows, columns) {
    this.hot = [];
    this.cells = table(rows, columns, () => make("div", { role: "gridcell", tabIndex: -1 }));
    this.element.style.setProperty("--columns", columns);
    this.element.setAttribute("aria-rowcount", rows);
    this.element.setAttribute("aria-colcount", columns);
    this.element.replaceChildren(...this.cells.map((row) => make("div", { role: "row" }, ...row)));
    this.current = [Math.min(this.current[0], rows - 1), Math.min(this.current[1], columns - 1)];
    this.at(this.current).tabIndex = 0;
  }

  fill(r, c, number, frame, { phase = "", mark = "", words = "", plain = false }) {
    const cell = this.cells[r][c];
    const share = plain ? 0 : Math.min(Math.abs(number) / frame.greatest, 1);
    cell.className = [
      share > 0.5 ? "strong" : "",
      number < 0 && !plain ? "negative" : "",
      phase ? "phased" : "",
      plain ? "plain" : "",
    ].join(" ");
    const bar = this.cells.length === 1 ? barOf(number, frame) : "";
    cell.style.cssText = `--share:${Math.round(100 * share)}%;${bar}${phase ? `;--phase:${phase}` : ""}`;
    cell.ariaLabel = `${placeName([r, c], this.cells.length)}: ${inCell(number)}${words && `, ${words}`}`;
    const value = this.cells[r].length > 8 ? inNarrowCell(number) : inCell(number);
    const shown = `${mark}|${value}`;
    if (cell.dataset.shown !== shown) {
      cell.dataset.shown = shown;
      cell.replaceChildren(...(mark ? [make("small", {}, mark)] : []), make("span", {}, value));
    }
  }

  at([row, column]) {
    return this.cells[row][column];
  }

  /** Mark cells, named "row,column", as the ones that are spoken of; null: none is. */
  mark(places) {
    this.element.classList.toggle("marked", places !== null);
    this.hot.forEach((cell) => cell.classList.remove("hot"));
    this.hot = [...(places ?? [])].map((place) => this.at(place.split(",")));
    this.hot.forEach((cell) => cell.classList.add("hot"));
  }

  placeOf(target) {
    const cell = target?.closest?.("[role=gridcell]");
    if (!cell || !this.element.contains(cell)) return null;
    const row = [...this.element.children].indexOf(cell.parentElement);
    return [row, [...cell.parentElement.children].indexOf(cell)];
  }

  focus(place) {
    const [rows, columns] = shapeOf(this.cells);
    const [row, column] = place.map((n, i) => Math.max(0, Math.min(n, [rows, columns][i] - 1)));
    this.select([row, column]);
    this.at(this.current).focus();
  }

  select(place) {
    this.at(this.current).tabIndex = -1;
    this.current = place;
    this.at(place).tabIndex = 0;
  }

  listen() {
    const { element, heard } = this;
    element.addEventListener("focusin", ({ target }) => {
      const place = this.placeOf(target);
      if (place) {
        this.select(place);
        heard.point?.(place);
      }
    });
    element.addEventListener("focusout", () => heard.leave?.());
    element.addEventListener("pointerover", ({ target, buttons }) => {
      const place = this.placeOf(target);
      if (place && !buttons) heard.point?.(place);
    });
    element.addEventListener("pointerleave", () => heard.leave?.());
    element.addEventListener("keydown", (event) => this.pressed(event));
    if (heard.stroke) this.listenToStrokes();
  }

  pressed(event) {
    const place = this.placeOf(event.target);
    if (!place || event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) {
      event.preventDefault();
      this.focus(MOVES[event.key](place));
    } else if (this.heard.key?.(place, event.key)) {
      event.preventDefault();
    }
  }

  listenToStrokes() {
    let last = null;
    const reached = (event) => {
      const place = this.placeOf(document.elementFromPoint(event.clientX, event.clientY));
      if (!place || String(place) === last) return;
      const begins = last === null;
      last = String(place);
      this.heard.stroke(place, begins);
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      last = null;
      reached(event);
      const moved = (later) => reached(later);
      const done = () => document.removeEventListener("pointermove", moved);
      document.addEventListener("pointermove", moved);
      ["pointerup", "pointercancel"].forEach((name) =>
        document.addEventListener(name, done, { once: true }),
      );
    });
  }
}
