// Elements made and found without markup in text, so that nothing a film's name holds is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Find the element of an id; a missing one is a mistake in the page and said at once. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/** Make an HTML element: `on` has listeners, `data` the data attributes, everything else is an attribute. */
export function make(tag, settings = {}, ...children) {
  return fill(document.createElement(tag), settings, children);
}

/** Make an SVG element in the same way. */
export function draw(tag, settings = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), settings, children);
}

function fill(element, { text, on = {}, data = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  Object.assign(element.dataset, data);
  if (text !== undefined) element.textContent = text;
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put children in the place of those that an element has, and keep the focus on what has the same `data-focus`. */
export function replace(element, ...children) {
  const held = element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  if (held) element.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

/** Show or hide an element. */
export function shown(element, visible) {
  element.hidden = !visible;
}

/** Say something to those who listen to the page instead of looking at it. */
export function announce(text) {
  const region = byId("live");
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/** Read a setting that the browser keeps, also where it keeps none (private windows). */
export function remembered(key, otherwise) {
  try {
    return localStorage.getItem(`capitate.${key}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep a setting in the browser; never anything of a film or a child. */
export function remember(key, value) {
  try {
    localStorage.setItem(`capitate.${key}`, value);
  } catch {
    // A browser that keeps nothing still works; the setting lasts until it is closed.
  }
}
