// Capabilities that the sensor needs

export { type Capability, capabilitiesFor, capabilitiesToGive, missingCapabilities } from './capabilities.ts';

// Kernels, and the commands that install a newer one

export { kernelCommand, kernelUpgradeCommand, newerKernelCommand, osReleaseOf } from './kernel-package.ts';

// Mounts and checks before the sensor is loaded

export { prepareHost } from './prepare-host.ts';
