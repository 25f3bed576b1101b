export { type BundleInput, buildBundle, type HeadOnBus, isIn } from './build.ts';
export type { Manifest } from './format.ts';
export type { BundleProblem, ProvedChain } from './problems.ts';
export { type BundleVerification, MAX_BUNDLE_BYTES, verifyBundle } from './verify.ts';
