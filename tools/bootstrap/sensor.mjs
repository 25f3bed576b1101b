import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { runStep, SetupError } from './progress.mjs';

const BUILDER = 'packages/sensor/src/build/build-sensor.ts';

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(directory, entry.name)) : [join(directory, entry.name)]))
    .sort();
}

/** Returns a hash of the sensor's sources, its builder, and the kernel that it is built against. */
function sourcesKey(root) {
  const hash = createHash('sha256').update(`${release()} ${process.arch} ${statSync('/sys/kernel/btf/vmlinux').size}`);
  for (const file of [...filesBelow(join(root, 'bpf')), join(root, BUILDER)]) {
    hash.update(`\0${file.slice(root.length)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Builds the sensor unless the existing object was built from the same sources. */
export async function buildSensorIfChanged(root, node) {
  if (!existsSync(join(root, BUILDER))) return;
  const stamp = join(root, 'dist/sensor/sources.sha256');
  const key = sourcesKey(root);
  const built = existsSync(join(root, 'dist/sensor/ringfence.bpf.o'));
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', join(root, BUILDER)];
  // On Debian, bpftool is in an sbin directory, which the PATH of unprivileged users lacks.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
  const { code, output } = await runStep('Sensor (clang, bpftool)', node, args, { cwd: root, env });
  if (code !== 0) throw new SetupError(`the sensor could not be built:\n${output.trimEnd()}`);
  writeFileSync(stamp, key);
}
