/**
 * Loaded into the measured program with `--import`: SIGUSR2 starts a CPU profile, and the next SIGUSR2 writes it to
 * $BENCH_PROFILE. --cpu-prof does not work: its thousand signals per second interrupt the kernel's verifier, which then
 * refuses every program of the sensor with EAGAIN.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const path = process.env['BENCH_PROFILE'] ?? 'bench.cpuprofile';
const session = new Session();
let profiling = false;

process.on('SIGUSR2', () => void toggle());

async function toggle(): Promise<void> {
  profiling = !profiling;
  if (profiling) {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  // Rename, so that a reader never sees an incomplete file.
  writeFileSync(`${path}.new`, JSON.stringify(profile));
  renameSync(`${path}.new`, path);
}
