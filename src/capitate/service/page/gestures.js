// Mouse, pen and fingers on the film: drag is window and level, wheel and pinch zoom, two fingers or Shift pan.

const CLICK_PIXELS = 5;
const WHEEL = 0.0016;
const PAN_BUTTONS = [1, 2];

/**
 * Make a viewer's stage follow the pointer.
 *
 * @param viewer the viewer.
 * @param tool tells what a plain drag does, "window" or "pan".
 * @param click is told the element under a press that did not move.
 */
export function follow(viewer, { tool, click = () => {} }) {
  const { stage } = viewer;
  const fingers = new Map();
  let press = null;

  const place = (event) => {
    const frame = stage.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  const down = (event) => {
    if (event.target.closest(".film-chrome")) return;
    fingers.set(event.pointerId, place(event));
    stage.setPointerCapture(event.pointerId);
    const pans = tool() === "pan" || event.shiftKey || PAN_BUTTONS.includes(event.button);
    if (fingers.size === 1) press = { start: place(event), target: event.target, pans, moved: false };
    else if (press) press.moved = true;
  };
  const move = (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    if (fingers.size === 2) pinch(event.pointerId, before, now);
    fingers.set(event.pointerId, now);
    if (fingers.size !== 1 || !press) return;
    press.moved ||= Math.hypot(now.x - press.start.x, now.y - press.start.y) > CLICK_PIXELS;
    if (!press.moved) return;
    if (press.pans) viewer.pan(dx, dy);
    else viewer.adjust(dx, dy);
  };
  const pinch = (id, before, now) => {
    const other = [...fingers].find(([key]) => key !== id)[1];
    const spread = (point) => Math.max(20, Math.hypot(point.x - other.x, point.y - other.y));
    viewer.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    viewer.zoom(spread(now) / spread(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  };
  const up = (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    if (press && !press.moved && event.type === "pointerup" && event.button === 0) click(press.target);
    press = null;
  };
  const wheel = (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    viewer.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 16 : 1) * WHEEL), x, y);
  };

  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("wheel", wheel, { passive: false });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("dblclick", (event) => event.target.closest("[data-joint], .film-chrome") || viewer.fit());
}
