// Runs a Python program in Pyodide: node newer_python.mjs PYODIDE ROOT PROGRAM; ROOT is /src for it. Prints what it returns.
import { readFileSync } from "node:fs";

const [pyodide, root, program] = process.argv.slice(2);
const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const python = await loadPyodide();
python.mountNodeFS("/src", root);
console.log(python.runPython(readFileSync(program, "utf-8")));
