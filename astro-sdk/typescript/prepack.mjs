// Before `npm pack`: builds dist/ in a folder of its own, so that a clone needs no preparation and
// keeps nothing of it. With --done, afterwards: removes dist/.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCES = ["package.json", "package-lock.json", "tsconfig.json", "src"];
const here = import.meta.dirname;

function run(command, folder) {
  // Its output belongs to no one who reads what npm pack says.
  const done = spawnSync(command, { cwd: folder, shell: true, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) throw new Error(`${command} failed`);
}

rmSync(join(here, "dist"), { recursive: true, force: true });
if (!process.argv.includes("--done")) {
  const folder = mkdtempSync(join(tmpdir(), "astro-sdk-"));
  try {
    for (const name of SOURCES) cpSync(join(here, name), join(folder, name), { recursive: true });
    run("npm ci --ignore-scripts --no-audit --no-fund --loglevel=error", folder);
    run("npm run build --loglevel=error", folder);
    cpSync(join(folder, "dist"), join(here, "dist"), { recursive: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
