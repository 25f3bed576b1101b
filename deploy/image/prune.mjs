/**
 * Removes development files from a copy of a set-up tree: `node deploy/image/prune.mjs`, run in its root.
 *
 * Reads the development packages from package-lock.json, because the build stage of the image has neither npm nor a
 * network.
 */
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';

const NEEDED = [
  `node_modules/node-linux-${process.arch}/bin/node`,
  'dist/sensor/ringfence.bpf.o',
  'dist/sensor/trace.bpf.o',
];

/** Binaries for other platforms, and the C sources of a wrapped library. */
const UNUSED = [
  'node_modules/better-sqlite3/{deps,src}',
  'node_modules/better-sqlite3/prebuilds/{darwin,linuxmusl,win32}-*.node',
];

const missing = NEEDED.filter((path) => !existsSync(path));
if (missing.length > 0) {
  process.stderr.write(
    `The tree is not set up (no ${missing.join(', ')}): run node tools/bootstrap.mjs --setup first\n`,
  );
  process.exit(1);
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const development = Object.keys(packages).filter((path) => packages[path].dev || packages[path].devOptional);
for (const path of [...development, 'node_modules/.bin', 'node_modules/.package-lock.json', ...globSync(UNUSED)])
  rmSync(path, { recursive: true, force: true });

const emptyScopes = globSync('node_modules/@*').filter((scope) => readdirSync(scope).length === 0);
for (const scope of emptyScopes) rmdirSync(scope);
