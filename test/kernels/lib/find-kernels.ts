import { TestServerError } from '@ringfence/dev-servers/in-process';
import { type Architecture, debianKernels, guestMissing, type TestKernel } from '@ringfence/testkit/kernels';

export const OLDEST = '6.1';
/** Series that `npm run test:kernels -- --kernel` selects, separated by commas. Unset: all. */
export const SERIES_VARIABLE = 'RINGFENCE_TEST_KERNELS';

/** Returns the selected kernels, or why there are none. */
export async function findKernels(
  series: readonly string[] | undefined = process.env[SERIES_VARIABLE]?.split(','),
  architecture: Architecture = 'x64',
): Promise<readonly TestKernel[] | string> {
  const missing = guestMissing(architecture);
  if (missing !== undefined) return missing;
  try {
    return await debianKernels(series, architecture);
  } catch (error) {
    if (error instanceof TestServerError) return error.message;
    throw error;
  }
}

/** Returns the oldest supported kernel, or why it is not available. */
export async function findKernel(): Promise<TestKernel | string> {
  const found = await findKernels([OLDEST]);
  return typeof found === 'string' ? found : (found[0] ?? `apt offers no kernel ${OLDEST}`);
}
