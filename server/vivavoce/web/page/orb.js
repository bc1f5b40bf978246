// The circle that shows who has the floor: a disc that waits to be pressed, a ring that listens, a ring that moves with
// the user's voice, dots that go round while it thinks, a body that moves with the assistant's.

/** @typedef {"nobody" | "listening" | "user" | "thinking" | "assistant"} Who */

const POINTS = 96;
/** Shares of the difference that a frame takes away. */
const EASE = { who: 0.12, rise: 0.45, fall: 0.12 };
const WHOS = /** @type {const} */ (["nobody", "listening", "user", "thinking", "assistant"]);
/** Speech is quiet as numbers go. */
const GAIN = 5;

export class Orb {
  #canvas;
  #context;
  /** @type {Who} */
  #who = "nobody";
  /** How much of each is shown. @type {Record<Who, number>} */
  #shown = { nobody: 1, listening: 0, user: 0, thinking: 0, assistant: 0 };
  #levels = { user: 0, assistant: 0 };
  #level = 0;
  #phase = 0;
  #isRunning = false;
  #before = 0;
  /** @type {Map<string, string>} */
  #colours = new Map();
  #isStill = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#run();
  }

  /** @param {Who} who */
  show(who) {
    this.#who = who;
    this.#run();
  }

  /** @param {"user" | "assistant"} who @param {number} level 0..1 */
  hear(who, level) {
    this.#levels[who] = Math.min(1, level * GAIN);
  }

  /** The colours or the size have changed. */
  renew() {
    this.#colours.clear();
    this.#run();
  }

  #run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    requestAnimationFrame(this.#frame);
  }

  #frame = (/** @type {number} */ now) => {
    const frames = Math.min(4, (now - this.#before) / 16.7);
    this.#before = now;
    this.#step(frames);
    this.#paint();
    const isSettled = this.#shown[this.#who] > 0.999;
    this.#isRunning = !(isSettled && (this.#who === "nobody" || this.#isStill.matches));
    if (this.#isRunning) requestAnimationFrame(this.#frame);
  };

  /** @param {number} frames */
  #step(frames) {
    const share = this.#isStill.matches ? 1 : 1 - (1 - EASE.who) ** frames;
    for (const who of WHOS) this.#shown[who] += ((who === this.#who ? 1 : 0) - this.#shown[who]) * share;
    const wanted = this.#who === "user" ? this.#levels.user : this.#who === "assistant" ? this.#levels.assistant : this.#levels.user * 0.35;
    const ease = wanted > this.#level ? EASE.rise : EASE.fall;
    this.#level += (wanted - this.#level) * (1 - (1 - ease) ** frames);
    this.#phase += frames * (0.012 + 0.05 * this.#level);
  }

  #paint() {
    const { clientWidth: size } = this.#canvas;
    const scale = globalThis.devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(size * scale)) this.#canvas.width = this.#canvas.height = Math.round(size * scale);
    const context = this.#context;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, size, size);
    context.translate(size / 2, size / 2);
    const radius = size * 0.3;
    const breath = this.#isStill.matches ? 0 : Math.sin(this.#phase * 2.2) * 0.012;
    this.#halo(radius);
    this.#rings(radius * (1 + breath));
    this.#body(radius);
    this.#dots(radius * 0.58);
  }

  /** A glow behind whoever has the floor. @param {number} radius */
  #halo(radius) {
    const strength = 0.55 * this.#shown.assistant + 0.22 * this.#shown.user + 0.3 * this.#shown.nobody;
    const reach = radius * (1.32 + 0.3 * this.#level);
    const glow = this.#context.createRadialGradient(0, 0, radius * 0.8, 0, 0, reach);
    glow.addColorStop(0, this.#colour("--glow"));
    glow.addColorStop(1, this.#colour("--glow", 0.01));
    this.#context.globalAlpha = strength;
    this.#context.fillStyle = glow;
    this.#fill(() => reach);
  }

  /** The ring of the one who listens; it moves with the user's voice. @param {number} radius */
  #rings(radius) {
    const { listening, user, thinking } = this.#shown;
    const strength = Math.max(listening, user, thinking);
    if (strength < 0.01) return;
    const context = this.#context;
    const isUser = user > 0.02;
    for (const ring of isUser ? [0, 1, 2] : [0]) {
      context.globalAlpha = (ring === 0 ? strength : user * (0.42 - 0.14 * ring)) * (0.35 + 0.65 * Math.max(user, 0.35));
      context.strokeStyle = this.#colour(user > 0.4 ? "--ink" : "--faint");
      context.lineWidth = ring === 0 ? 2 + 1.5 * user : 1.2;
      this.#path((angle) => radius * (1 + 0.13 * ring * (0.35 + this.#level) + user * this.#wobble(angle, ring) * 0.16));
      context.stroke();
    }
    context.globalAlpha = strength * 0.5;
    context.fillStyle = this.#colour("--sheet");
    this.#fill(() => radius * (1 - 0.02));
    context.globalAlpha = 1;
  }

  /** The body of the one who speaks; a plain disc where it waits to be pressed. @param {number} radius */
  #body(radius) {
    const { nobody, assistant } = this.#shown;
    const context = this.#context;
    context.fillStyle = this.#colour("--accent");
    for (const layer of [2, 1, 0]) {
      context.globalAlpha = assistant * [0.95, 0.34, 0.16][layer];
      if (context.globalAlpha < 0.01) continue;
      const size = radius * (0.8 + 0.2 * assistant) * (0.92 + 0.12 * this.#level + 0.1 * layer * (0.4 + this.#level));
      this.#fill((angle) => size * (1 + this.#wobble(angle, layer + 3) * (0.05 + 0.09 * layer)));
    }
    context.globalAlpha = nobody;
    if (nobody > 0.01) this.#fill(() => radius * (0.86 + 0.08 * nobody));
    context.globalAlpha = 1;
  }

  /** Three dots that go round while it thinks. @param {number} radius */
  #dots(radius) {
    const { thinking } = this.#shown;
    if (thinking < 0.01) return;
    const context = this.#context;
    context.fillStyle = this.#colour("--accent");
    for (const dot of [0, 1, 2]) {
      const angle = (this.#isStill.matches ? 0 : this.#phase * 5) + (dot * 2 * Math.PI) / 3;
      context.globalAlpha = thinking;
      context.beginPath();
      context.arc(Math.cos(angle) * radius * thinking, Math.sin(angle) * radius * thinking, 5.5 + 1.5 * Math.sin(this.#phase * 4 + dot), 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** -1..1, round about; as far as there is a voice. @param {number} angle @param {number} seed */
  #wobble(angle, seed) {
    const time = this.#phase * (3 + seed * 0.35);
    const waves = Math.sin(3 * angle + time + seed) + 0.6 * Math.sin(5 * angle - 1.4 * time) + 0.35 * Math.sin(8 * angle + 2.1 * time);
    return (waves / 1.95) * (0.15 + 0.85 * this.#level);
  }

  /** @param {(angle: number) => number} radius */
  #path(radius) {
    this.#context.beginPath();
    for (let i = 0; i <= POINTS; i += 1) {
      const angle = (i / POINTS) * 2 * Math.PI;
      this.#context.lineTo(Math.cos(angle) * radius(angle), Math.sin(angle) * radius(angle));
    }
    this.#context.closePath();
  }

  /** @param {(angle: number) => number} radius */
  #fill(radius) {
    this.#path(radius);
    this.#context.fill();
  }

  /** A custom property as a colour that a canvas understands. @param {string} name @param {number} [share] of it */
  #colour(name, share = 1) {
    const key = `${name}/${share}`;
    const known = this.#colours.get(key);
    if (known) return known;
    this.#canvas.style.color = share === 1 ? `var(${name})` : `color-mix(in srgb, var(${name}) ${share * 100}%, transparent)`;
    const { color } = getComputedStyle(this.#canvas);
    this.#colours.set(key, color);
    return color;
  }
}
