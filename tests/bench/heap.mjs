// The 32-bit interpreter: `node heap.mjs PACKAGE FOLDER HEAP_BYTES` runs each script of FOLDER/steps.json, with FOLDER's files in its root. It collects
// garbage only between two scripts: WebAssembly hides what lies on the stack.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , packed, folder, heapsize] = process.argv;
const { loadMicroPython } = await import(pathToFileURL(path.join(packed, "micropython.mjs")));
const board = await loadMicroPython({ heapsize: Number(heapsize), stdout: (line) => console.log(line), linebuffer: true });

function copy(from, to) {
    if (to) board.FS.mkdirTree(to);
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
        const here = path.join(from, entry.name);
        if (entry.isDirectory()) copy(here, `${to}/${entry.name}`);
        else board.FS.writeFile(`${to}/${entry.name}`, fs.readFileSync(here));
    }
}

copy(folder, "");
try {
    for (const step of JSON.parse(fs.readFileSync(path.join(folder, "steps.json")))) {
        board.runPython(step);
        board.runPython("import gc; gc.collect()");
    }
} catch (error) {
    console.error(error.message);
    process.exit(1);
}
