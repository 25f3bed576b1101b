export { compileResponderOptions, type ResponderOptions } from './config.ts';
export * from './errors.ts';
export { type Responder, type ResponderDeps, startResponder } from './main.ts';
export type { ResponderStats } from './metrics.ts';
export { createPipeline } from './pipeline.ts';
export { BUILTIN_POLICIES, type LoadedPolicies, loadPolicies, loadPolicyFiles } from './policy/load.ts';
export type { IncidentFacts, Policy, Subject } from './policy/policy.ts';
export { PolicySet, type Verdict } from './policy/policy-set.ts';
export type { Trusted } from './steps/verify.ts';
