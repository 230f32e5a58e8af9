// What was dropped or chosen, as a flat list of files: folders are walked, files that no film can be are left out.

const ZIP = /\.zip$/i;
const NO_FILM = /(^\.|^thumbs\.db$|^desktop\.ini$|\.(txt|csv|json|html?|pdf|docx?|xlsx?|md|xml|log)$)/i;

/** Whether a file is an archive of films. */
export function isArchive(file) {
  return ZIP.test(file.name) || file.type === "application/zip" || file.type === "application/x-zip-compressed";
}

/** The files of a drop, folders included. Must be called in the event itself: the browser forgets entries after it. */
export async function dropped(transfer) {
  const entries = Array.from(transfer.items ?? [], (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return films(Array.from(transfer.files), false);
  const single = entries.length === 1 && entries[0].isFile;
  const found = await Promise.all(entries.map(walk));
  return films(found.flat(), !single);
}

/** The files of a file input; of a folder only those that may be films. */
export function picked(input) {
  return films(Array.from(input.files), input.webkitdirectory);
}

// One file that somebody chose is sent whatever its name is: the service says why it is no film.
function films(files, several) {
  return several ? files.filter((file) => !NO_FILM.test(file.name)) : files;
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives at most a hundred entries at a time, and none when it is through.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    for (const one of some) found.push(...(await walk(one)));
  }
  return found;
}
