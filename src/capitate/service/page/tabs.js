// The parts of the result as tabs: one is shown, arrows move between them.

import { byId, shown } from "./dom.js";
import { set, state, watch } from "./state.js";

export const TABS = ["joints", "findings", "maps", "earlier", "report"];

/** Make the tabs work. */
export function show() {
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => set({ tab: name }));
    byId(`tab-${name}`).addEventListener("keydown", (event) => moved(event, name));
  }
  watch(["tab"], () => {
    for (const name of TABS) {
      const chosen = name === state.tab;
      byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
      shown(byId(`panel-${name}`), chosen);
    }
  });
}

/** Show the tab after this one. */
export function next(by = 1) {
  set({ tab: TABS[(TABS.indexOf(state.tab) + by + TABS.length) % TABS.length] });
}

function moved(event, name) {
  const to = {
    ArrowRight: (TABS.indexOf(name) + 1) % TABS.length,
    ArrowLeft: (TABS.indexOf(name) + TABS.length - 1) % TABS.length,
    Home: 0,
    End: TABS.length - 1,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  set({ tab: TABS[to] });
  byId(`tab-${TABS[to]}`).focus();
}
