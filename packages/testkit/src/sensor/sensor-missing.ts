import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BpfError, libbpfVersion } from '@ringfence/libbpf-ts';
import { findCompiler, SensorBuildError } from '@ringfence/sensor/build';

function isInstalled(program: string): boolean {
  // Debian leaves the sbin directories, where bpftool is, out of the PATH of users.
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function clangMissing(): Promise<string | undefined> {
  try {
    await findCompiler();
    return undefined;
  } catch (error) {
    if (error instanceof SensorBuildError) return error.message;
    throw error;
  }
}

const bpftoolMissing = (): string | undefined =>
  isInstalled('bpftool') ? undefined : 'bpftool is not installed: apt-get install bpftool';

/** Returns why libbpf can't be used, or undefined. */
function libbpfMissing(): string | undefined {
  try {
    libbpfVersion();
    return undefined;
  } catch (error) {
    if (error instanceof BpfError) return error.message;
    throw error;
  }
}

/** In a guest the sensor is prebuilt, so that only libbpf is needed. */
const isPrebuilt = process.env['RINGFENCE_TEST_PREBUILT'] !== undefined;

/** Reason, on one line, why the sensor can't be built or loaded on this machine, or undefined. */
export const sensorMissing: string | undefined =
  (isPrebuilt ? undefined : ((await clangMissing()) ?? bpftoolMissing())) ?? libbpfMissing();

/** Reason why the C programs of tests can't be built on this machine, or undefined. */
export const compilerMissing: string | undefined =
  isPrebuilt || isInstalled('cc') ? undefined : 'there is no C compiler (cc): apt-get install gcc libc6-dev';
