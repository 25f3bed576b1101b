export {
  FILTERED_KINDS,
  type FieldFact,
  FORMS,
  type Interest,
  interestContent,
  interestSince,
  interestVersion,
  SCOPES,
  wantOf,
} from './interest.ts';
