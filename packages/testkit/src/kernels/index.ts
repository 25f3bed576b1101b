export { debianKernels, type TestKernel } from './debian.ts';
export { type GuestOptions, type GuestResult, guestMissing, runInGuest } from './guest.ts';
