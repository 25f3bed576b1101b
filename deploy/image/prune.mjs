/**
 * Takes what only development needs out of a copy of a set-up tree: `node deploy/image/prune.mjs`, from its root.
 *
 * package-lock.json knows which packages those are; asking npm would need it, and a network, where the image is built.
 */
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';

const NEEDED = ['node_modules/node/bin/node', 'dist/sensor/ringfence.bpf.o', 'dist/sensor/trace.bpf.o'];

/** A package brings binaries for every platform, and the sources of what it wraps. */
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

const emptied = globSync('node_modules/@*').filter((scope) => readdirSync(scope).length === 0);
for (const scope of emptied) rmdirSync(scope);
