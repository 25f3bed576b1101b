export { type BundleInput, buildBundle, type HeadOnBus } from './build.ts';
export type { Manifest } from './format.ts';
export type { BundleProblem } from './problems.ts';
export { type BundleVerification, MAX_BUNDLE_BYTES, verifyBundle } from './verify.ts';
