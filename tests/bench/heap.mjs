// The 32-bit interpreter: `node heap.mjs PACKAGE FOLDER` runs each script of FOLDER/steps.json, with FOLDER's files at /fw. It collects
// garbage only between two scripts: WebAssembly hides what lies on the stack.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , packed, folder] = process.argv;
const { loadMicroPython } = await import(pathToFileURL(path.join(packed, "micropython.mjs")));
const board = await loadMicroPython({ heapsize: 16 << 20, stdout: (line) => console.log(line), linebuffer: true });

function copy(from, to) {
    board.FS.mkdirTree(to);
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
        const here = path.join(from, entry.name);
        if (entry.isDirectory()) copy(here, `${to}/${entry.name}`);
        else board.FS.writeFile(`${to}/${entry.name}`, fs.readFileSync(here));
    }
}

copy(folder, "/fw");
try {
    for (const step of JSON.parse(fs.readFileSync(path.join(folder, "steps.json")))) {
        board.runPython(step);
        board.runPython("import gc; gc.collect()");
    }
} catch (error) {
    console.error(error.message);
    process.exit(1);
}
