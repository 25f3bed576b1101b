export { FILTERED_KINDS, type FieldFact, FORMS, SCOPES, wantOf } from './forms.ts';
export {
  EVERY_VARIABLE,
  INITIAL_INTEREST,
  type Interest,
  interestContent,
  interestSince,
  interestVersion,
} from './interest.ts';
