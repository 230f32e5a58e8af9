// Joints, epiphyses, carpal bones and marks outlined over the film, with names that do not cover each other.

import { announce, draw } from "./dom.js";
import { assessment, gradeOf, jointOf, set, state, watch } from "./state.js";
import { jointName, shortName, words } from "./words.js";

const LABEL_HEIGHT = 18;
const LABEL_GAP = 3;
const ROOMY = 46;

/** The joints that the methods score, in the order of the hand: wrist first, then from the thumb on. */
export const GRADED = [
  "Radius", "Ulna", "MCPFirst", "MCPThird", "MCPFifth", "PIPFirst", "PIPThird", "PIPFifth", "MIPThird", "MIPFifth",
  "DIPFirst", "DIPThird", "DIPFifth",
];

/** Choose a joint and say so. */
export function choose(name) {
  set({ joint: name });
  if (!name) return;
  const joint = jointOf(name);
  announce(`${jointName(name)}: ${joint ? graded(joint) : words("joint_missing")}`);
}

/** Choose the next graded joint, or the one before. */
export function step(by) {
  const index = GRADED.indexOf(state.joint);
  const next = index < 0 ? (by > 0 ? 0 : GRADED.length - 1) : (index + by + GRADED.length) % GRADED.length;
  choose(GRADED[next]);
}

function graded(joint) {
  const grade = gradeOf(joint);
  return grade === null ? words("grade_none") : words("grade_n", { grade });
}

/** Draw the joints over a viewer's film into its SVG element, whenever either changes. */
export function overlay(viewer, svg) {
  const shapes = draw("g", { class: "shapes" });
  const names = draw("g", { class: "names", "aria-hidden": "true" });
  svg.append(shapes, names);
  const place = () => {
    if (!viewer.film) return;
    const { a, b, c, d, e, f } = viewer.matrix();
    shapes.setAttribute("transform", `matrix(${a} ${b} ${c} ${d} ${e} ${f})`);
    label(viewer, names);
  };
  const redraw = () => {
    const held = svg.contains(document.activeElement);
    shapes.replaceChildren(...(viewer.film && assessment() ? outlines() : []));
    if (held) shapes.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
    if (viewer.film) place();
    else names.replaceChildren();
  };
  viewer.addEventListener("view", place);
  watch(["record", "film", "layers", "joint", "pending", "lang"], redraw);
  svg.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const name = event.target.dataset?.joint;
    if (name) choose(name);
    if (name) event.preventDefault();
  });
}

function outlines() {
  const { joints, carpals, marks } = assessment();
  const { layers } = state;
  const drawn = [];
  if (layers.outlines) {
    for (const one of carpals?.outlines ?? []) drawn.push(ring(one, "carpal"));
    for (const joint of joints ?? []) for (const one of joint.epiphysis?.outline ?? []) drawn.push(ring(one, "epiphysis"));
  }
  for (const mark of marks ?? []) drawn.push(box(mark.box, "mark"));
  if (layers.joints) drawn.push(...(joints ?? []).filter((joint) => joint.box).map(button));
  return drawn;
}

function ring(points, kind) {
  return draw("polygon", { class: kind, points: points.map((point) => point.join(",")).join(" "), "aria-hidden": "true" });
}

function box([x, y, width, height], kind) {
  return draw("rect", { class: kind, x, y, width, height, "aria-hidden": "true" });
}

function button(joint) {
  const scored = GRADED.includes(joint.name);
  const entry = state.joint && jointOf(state.joint)?.box ? state.joint : assessment().joints.find((one) => one.box).name;
  const [x, y, width, height] = joint.box;
  const kinds = ["joint", joint.status, scored ? "scored" : "unscored", joint.name === state.joint ? "chosen" : ""];
  return draw("rect", {
    x, y, width, height, class: kinds.join(" ").trim(), role: "button", data: { joint: joint.name },
    "aria-pressed": String(joint.name === state.joint),
    "aria-label": scored ? `${jointName(joint.name)}, ${graded(joint)}` : jointName(joint.name),
    tabindex: joint.name === entry ? 0 : -1,
  });
}

function label(viewer, names) {
  const joints = state.layers.names && state.layers.joints ? assessment()?.joints ?? [] : [];
  const matrix = viewer.matrix();
  const taken = [];
  const first = (joint) => (joint.name === state.joint ? 0 : GRADED.includes(joint.name) ? 1 : 2);
  const ordered = joints.filter((joint) => joint.box).sort((one, other) => first(one) - first(other));
  names.replaceChildren(...ordered.flatMap((joint) => named(joint, onStage(matrix, joint.box), taken)));
}

function named(joint, frame, taken) {
  const scored = GRADED.includes(joint.name);
  const grade = gradeOf(joint);
  const doubt = joint.grade?.suggestion && !(joint.name in state.pending) ? "?" : "";
  const text = scored && grade !== null ? `${shortName(joint.name)}  ${grade}${doubt}` : shortName(joint.name);
  const wide = 8 + 7.2 * [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1.8 : 1), 0);
  const middle = (frame.left + frame.right) / 2;
  const spots = [
    { x: middle - wide / 2, y: frame.top - LABEL_HEIGHT - LABEL_GAP },
    { x: middle - wide / 2, y: frame.bottom + LABEL_GAP },
    { x: frame.right + LABEL_GAP, y: frame.top },
    { x: frame.left - wide - LABEL_GAP, y: frame.top },
  ];
  const covers = (spot) => taken.reduce((sum, other) => sum + shared(spot, wide, other), 0);
  const spot = spots.reduce((best, one) => (covers(one) < covers(best) - 1 ? one : best));
  if (!scored && (covers(spot) > 1 || frame.right - frame.left < ROOMY)) return [];
  taken.push({ ...spot, wide });
  const kind = joint.name === state.joint ? "chosen" : scored ? "scored" : "unscored";
  return [
    draw("rect", { class: `plate ${kind}`, x: spot.x, y: spot.y, width: wide, height: LABEL_HEIGHT, rx: 3 }),
    draw("text", { class: kind, x: spot.x + wide / 2, y: spot.y + 13, "text-anchor": "middle", text }),
  ];
}

function shared(spot, wide, other) {
  const across = Math.min(spot.x + wide, other.x + other.wide) - Math.max(spot.x, other.x);
  const down = LABEL_HEIGHT - Math.abs(spot.y - other.y);
  return Math.max(0, across) * Math.max(0, down);
}

function onStage(matrix, [x, y, width, height]) {
  const corners = [[x, y], [x + width, y], [x, y + height], [x + width, y + height]];
  const points = corners.map(([px, py]) => matrix.transformPoint(new DOMPoint(px, py)));
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}
