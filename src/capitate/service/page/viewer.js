// The film on a canvas: window and level, inversion, zoom, pan, rotation, mirror. Layers lie over it.

import { autoWindow, Levels } from "./levels.js";

const MOST_SCALE = 16;
const MARGIN = 0.96;

/** A film in a stage: the stage holds a canvas and, over it, whatever listens for "view" on the viewer. */
export class Viewer extends EventTarget {
  constructor(stage) {
    super();
    this.stage = stage;
    this.canvas = stage.querySelector("canvas");
    this.film = null;
    this.overlay = null;
    this.opacity = 0.7;
    this.queued = false;
    this.following = null;
    new ResizeObserver(() => this.resized()).observe(stage);
  }

  /** Show a film: `{ pixels: Uint16Array, width, height }`, or nothing. */
  show(film) {
    this.film = film;
    this.overlay = null;
    this.levels = film ? new Levels(film) : null;
    this.auto = film ? autoWindow(film.pixels) : null;
    this.reset();
  }

  /** Take back every change of view and window. */
  reset() {
    this.window = this.auto ? { ...this.auto } : { center: 32768, width: 65535 };
    this.inverted = false;
    this.angle = 0;
    this.mirrored = false;
    this.fit();
  }

  /** Put a box of film pixels, or the whole film, into the middle and as large as it fits. */
  fit(box = null) {
    if (!this.film) return this.changed();
    this.following = box ?? "film";
    const [x, y, width, height] = box ?? [0, 0, this.film.width, this.film.height];
    const turn = (this.angle * Math.PI) / 180;
    const cos = Math.abs(Math.cos(turn));
    const sin = Math.abs(Math.sin(turn));
    const { width: wide, height: tall } = this.size();
    this.middle = { x: x + width / 2, y: y + height / 2 };
    this.scale = MARGIN * Math.min(wide / (width * cos + height * sin), tall / (width * sin + height * cos));
    this.changed();
  }

  size() {
    return { width: Math.max(1, this.stage.clientWidth), height: Math.max(1, this.stage.clientHeight) };
  }

  /** The matrix from film pixels to the stage's CSS pixels. */
  matrix() {
    const { width, height } = this.size();
    return new DOMMatrix()
      .translate(width / 2, height / 2)
      .rotate(this.angle)
      .scale(this.mirrored ? -this.scale : this.scale, this.scale)
      .translate(-this.middle.x, -this.middle.y);
  }

  /** The film pixel under a point of the stage. */
  filmPoint(x, y) {
    const point = this.matrix().inverse().transformPoint(new DOMPoint(x, y));
    return { x: point.x, y: point.y };
  }

  zoom(factor, x, y) {
    if (!this.film) return;
    const { width, height } = this.size();
    const before = this.filmPoint(x ?? width / 2, y ?? height / 2);
    const least = (0.2 * Math.min(width, height)) / Math.max(this.film.width, this.film.height);
    this.scale = Math.min(MOST_SCALE, Math.max(least, this.scale * factor));
    const after = this.filmPoint(x ?? width / 2, y ?? height / 2);
    this.middle = { x: this.middle.x + before.x - after.x, y: this.middle.y + before.y - after.y };
    this.settle();
  }

  pan(dx, dy) {
    if (!this.film) return;
    const { width, height } = this.size();
    const target = this.filmPoint(width / 2 - dx, height / 2 - dy);
    const within = (value, most) => Math.min(most, Math.max(0, value));
    this.middle = { x: within(target.x, this.film.width), y: within(target.y, this.film.height) };
    this.settle();
  }

  /** Change the window: shares of the film's own window, right widens and down darkens. */
  adjust(dx, dy) {
    if (!this.film) return;
    const { width, height } = this.size();
    this.window.width = Math.min(131070, Math.max(64, this.window.width * Math.exp((2 * dx) / width)));
    const step = (dy / height) * 1.5 * this.auto.width;
    this.window.center = Math.min(98302, Math.max(-32767, this.window.center + step));
    this.changed();
  }

  invert() {
    this.inverted = !this.inverted;
    this.changed();
  }

  rotate(degrees) {
    this.turn(this.angle + degrees);
  }

  /** Turn the film to an angle, clockwise degrees; a view that was fitted stays fitted. */
  turn(degrees) {
    this.angle = ((((degrees + 180) % 360) + 360) % 360) - 180;
    if (this.following) this.fit(this.following === "film" ? null : this.following);
    else this.changed();
  }

  mirror() {
    this.mirrored = !this.mirrored;
    this.changed();
  }

  /** Show one film pixel on one pixel of the screen. */
  actualSize() {
    this.scale = 1 / (window.devicePixelRatio || 1);
    this.settle();
  }

  settle() {
    this.following = null;
    this.changed();
  }

  resized() {
    if (this.film && this.following) this.fit(this.following === "film" ? null : this.following);
    else this.changed();
  }

  /** Lay a picture over a box of the film; its opacity is `opacity`. */
  lay(overlay) {
    this.overlay = overlay;
    this.changed();
  }

  changed() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.paint();
      this.dispatchEvent(new Event("view"));
    });
  }

  paint() {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.size();
    const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== tall) Object.assign(this.canvas, { width: wide, height: tall });
    const pen = this.canvas.getContext("2d");
    pen.resetTransform();
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, wide, tall);
    if (!this.film) return;
    pen.setTransform(new DOMMatrix().scale(ratio, ratio).multiply(this.matrix()));
    pen.imageSmoothingEnabled = this.scale * ratio < 4;
    pen.imageSmoothingQuality = "high";
    const picture = this.levels.picture(this.window, { inverted: this.inverted, sharp: () => this.changed() });
    pen.drawImage(picture, 0, 0, this.film.width, this.film.height);
    if (!this.overlay) return;
    pen.globalAlpha = this.opacity;
    pen.imageSmoothingEnabled = true;
    const { x, y, width: across, height: down } = this.overlay.box;
    pen.drawImage(this.overlay.picture, x, y, across, down);
    pen.globalAlpha = 1;
  }
}
