// The views that the digits choose: parts of the hand, found from its joints.

import { assessment, jointOf, state } from "./state.js";

const ROOM = 0.12;
const RAYS = ["Second", "Third", "Fourth", "Fifth"];
const named = (...bones) => bones.flatMap((bone) => RAYS.map((ray) => bone + ray));

/** What each digit shows; each returns whether it could. */
export const VIEWS = {
  1: (viewer) => fit(viewer, null),
  2: (viewer) => part(viewer, assessment()?.hand?.box),
  3: (viewer) => upright(viewer),
  4: (viewer) => joints(viewer, ["Radius", "Ulna", "MCPFirst"], assessment()?.carpals?.outlines),
  5: (viewer) => joints(viewer, ["MCPFirst", ...named("MCP")]),
  6: (viewer) => joints(viewer, named("PIP", "MIP", "DIP")),
  7: (viewer) => joints(viewer, ["MCPFirst", "PIPFirst", "DIPFirst"]),
  8: (viewer) => part(viewer, state.joint ? jointOf(state.joint)?.box : null, 1),
  9: (viewer) => {
    viewer.actualSize();
    return true;
  },
};

function fit(viewer, box) {
  viewer.fit(box);
  return true;
}

function part(viewer, box, room = ROOM) {
  if (!box) return false;
  const [x, y, width, height] = box;
  const edge = room * Math.max(width, height);
  return fit(viewer, [x - edge, y - edge, width + 2 * edge, height + 2 * edge]);
}

function upright(viewer) {
  const hand = assessment()?.hand;
  if (!hand) return false;
  // The assessment counts the turn anticlockwise, the canvas clockwise; a mirrored film turns the other way.
  viewer.turn(viewer.mirrored ? hand.rotation_degrees : -hand.rotation_degrees);
  return part(viewer, hand.box);
}

function joints(viewer, names, outlines = []) {
  const boxes = names.map((name) => jointOf(name)?.box).filter(Boolean);
  const points = [
    ...boxes.flatMap(([x, y, width, height]) => [[x, y], [x + width, y + height]]),
    ...(outlines ?? []).flat(),
  ];
  if (!points.length) return false;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return part(viewer, [left, top, Math.max(...xs) - left, Math.max(...ys) - top]);
}
