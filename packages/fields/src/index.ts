export { catalogue, eventKinds, fieldNamed } from './catalogue.ts';
export { documentOf, type EventDocument, isoTime } from './document.ts';
export {
  baseName,
  directory,
  extension,
  type Field,
  type FieldSpec,
  type FieldType,
  type FieldValue,
  type Subject,
} from './field.ts';
export { containerFields } from './host/container.ts';
export type { LogAction } from './host/log-actions.ts';
export { type Definition, falcoDefinitions } from './languages/index.ts';
export { CAPABILITIES, capabilityNames } from './names/capabilities.ts';
export { callNames, callNumber, sourceName } from './names/system-calls.ts';
export { parseDns } from './network/dns.ts';
export { parseTlsHello } from './network/tls.ts';
export { parseProbeArguments } from './probes/probe-arguments.ts';
