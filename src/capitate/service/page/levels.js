// Pixels of 16 bit through window and level to a picture of 8 bit.

const DRAFT_PIXELS = 2_500_000;
const SHARP_AFTER_MS = 120;
const SAMPLES = 250_000;
const LOW_SHARE = 0.005;
const HIGH_SHARE = 0.998;

/** The window that spreads nearly all of the film's range, as the reports do it. */
export function autoWindow(pixels) {
  const every = Math.max(1, Math.floor(pixels.length / SAMPLES));
  const counts = new Uint32Array(65536);
  let count = 0;
  for (let index = 0; index < pixels.length; index += every, count += 1) counts[pixels[index]] += 1;
  const low = quantile(counts, LOW_SHARE * count);
  const high = quantile(counts, HIGH_SHARE * count);
  if (high - low < 65) return { center: 32768, width: 65535 };
  return { center: (low + high) / 2, width: high - low };
}

function quantile(counts, wanted) {
  let seen = 0;
  for (let value = 0; value < counts.length; value += 1) {
    seen += counts[value];
    if (seen > wanted) return value;
  }
  return counts.length - 1;
}

/** A film as a picture under any window. Large films are drawn coarsely while the window moves, then sharply. */
export class Levels {
  constructor(film) {
    this.film = film;
    this.table = new Uint32Array(65536);
    const step = Math.ceil(Math.sqrt((film.width * film.height) / DRAFT_PIXELS));
    this.sharp = plane(film.pixels, film.width, film.height);
    this.draft = step > 1 ? thinned(film, step) : null;
    this.drawn = "";
  }

  /** Return the picture; `sharp` is called when a sharper one can be drawn. */
  picture({ center, width }, { inverted, sharp }) {
    const wanted = `${center} ${width} ${inverted}`;
    if (wanted === this.drawn) return this.sharp.canvas;
    this.fill(center, width, inverted);
    clearTimeout(this.timer);
    if (!this.draft) {
      this.drawn = wanted;
      return through(this.sharp, this.table);
    }
    this.timer = setTimeout(() => {
      through(this.sharp, this.table);
      this.drawn = wanted;
      sharp();
    }, SHARP_AFTER_MS);
    return through(this.draft, this.table);
  }

  fill(center, width, inverted) {
    const low = center - width / 2;
    for (let value = 0; value < 65536; value += 1) {
      const share = Math.min(1, Math.max(0, (value - low) / width));
      const grey = Math.round(255 * (inverted ? 1 - share : share));
      this.table[value] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
  }
}

function plane(pixels, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  return { pixels, canvas, pen, image, words: new Uint32Array(image.data.buffer) };
}

function thinned(film, step) {
  const width = Math.floor(film.width / step);
  const height = Math.floor(film.height / step);
  const pixels = new Uint16Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) pixels[y * width + x] = film.pixels[y * step * film.width + x * step];
  }
  return plane(pixels, width, height);
}

function through({ pixels, canvas, pen, image, words }, table) {
  for (let index = 0; index < pixels.length; index += 1) words[index] = table[pixels[index]];
  pen.putImageData(image, 0, 0);
  return canvas;
}
