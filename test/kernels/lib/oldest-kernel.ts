import { debianKernels, guestMissing, type TestKernel, TestServerError } from '@ringfence/testkit';

export const OLDEST = '6.1';

/** The oldest kernel that the sensor is for, or why it can't be had here. */
export async function findKernel(): Promise<TestKernel | string> {
  const missing = guestMissing();
  if (missing !== undefined) return missing;
  try {
    const [oldest] = await debianKernels([OLDEST]);
    return oldest ?? `apt offers no kernel ${OLDEST}`;
  } catch (error) {
    if (error instanceof TestServerError) return error.message;
    throw error;
  }
}
