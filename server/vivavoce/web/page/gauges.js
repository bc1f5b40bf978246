// What the ear cannot see: the voice as a line, the buffer as a hill, first sound and underruns as numbers.

const WAVE_BARS = 160;
const GRAPH_POINTS = 160;
/** The graph's top: the server sends no more than this ahead. */
const GRAPH_TOP_MS = 4000;

/** A canvas that keeps its sharpness, drawn in the page's own colours, once a frame at most. */
class Drawing {
  #canvas;
  #context;
  #draw;
  #isDue = false;
  /** @type {Map<string, string>} resolved colours: asking for them costs a layout */
  #colours = new Map();

  /** @param {HTMLCanvasElement} canvas @param {(context: CanvasRenderingContext2D, width: number, height: number, colour: (name: string) => string) => void} draw */
  constructor(canvas, draw) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#draw = draw;
  }

  /** The colours or the size have changed. */
  renew() {
    this.#colours.clear();
    this.paint();
  }

  paint() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#paint();
    });
  }

  #paint() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = globalThis.devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * scale)) this.#canvas.width = Math.round(width * scale);
    if (this.#canvas.height !== Math.round(height * scale)) this.#canvas.height = Math.round(height * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    this.#draw(this.#context, width, height, (name) => this.#colour(name));
  }

  /** A custom property as a colour that a canvas understands. @param {string} name */
  #colour(name) {
    const known = this.#colours.get(name);
    if (known) return known;
    this.#canvas.style.color = `var(${name})`;
    const { color } = getComputedStyle(this.#canvas);
    this.#colours.set(name, color);
    return color;
  }
}

export class Wave {
  #drawing;
  /** @type {number[]} */
  #levels = Array.from({ length: WAVE_BARS }, () => 0);

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#drawing = new Drawing(canvas, (context, width, height, colour) => {
      const step = width / WAVE_BARS;
      const [accent, line] = [colour("--accent"), colour("--line")];
      this.#levels.forEach((level, i) => {
        const size = Math.max(1, Math.min(1, level * 5.5) ** 0.8 * (height - 8));
        context.fillStyle = level > 0.004 ? accent : line;
        context.globalAlpha = level > 0.004 ? 0.25 + 0.75 * (i / WAVE_BARS) ** 1.5 : 1;
        context.fillRect(i * step, (height - size) / 2, Math.max(1, step * 0.55), size);
      });
      context.globalAlpha = 1;
    });
  }

  /** @param {number} level 0..1 */
  add(level) {
    this.#levels.push(level);
    this.#levels.shift();
    this.#drawing.paint();
  }

  renew() {
    this.#drawing.renew();
  }
}

export class BufferGraph {
  #drawing;
  /** @type {{buffered: number, target: number}[]} */
  #points = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#drawing = new Drawing(canvas, (context, width, height, colour) => {
      const x = (/** @type {number} */ i) => width - (this.#points.length - i) * (width / GRAPH_POINTS);
      const y = (/** @type {number} */ ms) => height - 1 - (height - 3) * Math.sqrt(Math.min(1, ms / GRAPH_TOP_MS));
      context.fillStyle = colour("--line");
      context.fillRect(0, height - 1, width, 1);
      if (this.#points.length === 0) return;
      this.#hill(context, x, y, height, colour("--accent"));
      this.#target(context, x, y, colour("--soft"));
    });
  }

  /** @param {import("/client/client.js").MetricsEvent} metrics */
  add({ bufferedMs, targetMs }) {
    this.#points.push({ buffered: bufferedMs, target: targetMs });
    if (this.#points.length > GRAPH_POINTS) this.#points.shift();
    this.#drawing.paint();
  }

  renew() {
    this.#drawing.renew();
  }

  /** @param {CanvasRenderingContext2D} context @param {(i: number) => number} x @param {(ms: number) => number} y @param {number} height @param {string} colour */
  #hill(context, x, y, height, colour) {
    context.beginPath();
    context.moveTo(x(0), height);
    this.#points.forEach(({ buffered }, i) => context.lineTo(x(i), y(buffered)));
    context.lineTo(x(this.#points.length - 1), height);
    context.fillStyle = colour;
    context.globalAlpha = 0.18;
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    this.#points.forEach(({ buffered }, i) => context.lineTo(x(i), y(buffered)));
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke();
  }

  /** What is waited for before the sound goes on. @param {CanvasRenderingContext2D} context @param {(i: number) => number} x @param {(ms: number) => number} y @param {string} colour */
  #target(context, x, y, colour) {
    context.beginPath();
    this.#points.forEach(({ target }, i) => context.lineTo(x(i), y(target)));
    context.setLineDash([2, 3]);
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.stroke();
    context.setLineDash([]);
  }
}
