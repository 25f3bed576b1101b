export { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from './capabilities.ts';
export { kernelUpgradeCommand } from './kernel.ts';
export { kernelCommand, newerKernelCommand, osReleaseOf } from './kernel-package.ts';
export { prepareHost } from './prepare-host.ts';
