import { execFileSync } from 'node:child_process';
import { findCompiler } from '@ringfence/sensor/build';

const INCLUDE = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

/** A program of the bench's own, which needs no kernel's types. Rejects with SensorBuildError where there is no compiler. */
export async function compileBpf(source: string, object: string): Promise<void> {
  const { name: compiler } = await findCompiler();
  execFileSync(compiler, ['-target', 'bpf', '-mcpu=v3', '-O2', '-g', `-I${INCLUDE}`, '-c', source, '-o', object]);
}
