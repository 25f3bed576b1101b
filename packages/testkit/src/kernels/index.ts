export { debianKernels, type TestKernel } from './debian.ts';
export { unpackFromNpm } from './foreign-user-space.ts';
export { type GuestOptions, type GuestResult, guestMissing, runInGuest } from './guest.ts';
export type { Architecture } from './machine.ts';
export { buildModule, moduleMissing } from './module.ts';
